//! Signing in with a password or a link, and what stands against guessing.

use chrono::TimeDelta;

use super::*;
use crate::redis_server::Redis;

#[tokio::test]
async fn a_person_signs_in_with_their_password_whatever_the_capitals_of_their_name() {
    let house = House::new().await;
    let user = house.admin().await;
    for name in ["admin", "Admin"] {
        let answer = house.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{:#}", answer.body);
        assert_eq!(answer.body["user"], json!(user));
        let me = house.bearer(&tokens(&answer).0).await;
        assert_eq!(me.body["actor"], format!("user:{user}"));
        assert_eq!(me.body["username"], "admin");
    }
    assert_eq!(house.events().await[3..], ["identity.signed_in", "identity.signed_in"]);
}

#[tokio::test]
async fn a_wrong_password_an_unknown_name_and_a_deactivated_person_look_the_same() {
    let house = House::new().await;
    house.admin().await;
    let resting = house.user("resting", []).await;
    house.accounts.deactivate_user(resting, order()).await.unwrap();
    house.user("without", []).await;
    sqlx::query!("delete from credential where user_id <> $1 and user_id in (select user_id from person where username = 'without')", resting.uuid())
        .execute(&house.pool)
        .await
        .unwrap();
    let mut answers = Vec::new();
    for (name, password) in [
        ("admin", "stands and planes"),
        ("nobody", PASSWORD),
        ("resting", PASSWORD),
        ("without", PASSWORD),
        ("a b", ""),
    ] {
        let answer = house.sign_in(name, password).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}");
        answers.push(answer.body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert_eq!(answers[0]["errors"][0]["extensions"]["code"], "SIGN_IN_REFUSED");
    let reasons = ["wrong_password", "unknown_name", "deactivated", "wrong_password", "unknown_name"];
    let known = [true, false, true, true, false];
    let expected: Vec<_> = reasons.map(str::to_owned).into_iter().zip(known).collect();
    assert_eq!(house.attempts().await, expected);
}

#[tokio::test]
async fn a_password_is_hashed_for_who_is_unknown_too() {
    let house = House::with(Choices { password_hashes: 1, ..Choices::default() }).await;
    house.admin().await;
    // While the only turn is taken nobody is answered, whether or not the name is known.
    let turn = house.accounts.passwords().hold().await;
    for name in ["admin", "nobody"] {
        let mut waiting = Box::pin(house.sign_in(name, "stands and planes"));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        let soon = tokio::time::timeout(std::time::Duration::from_millis(300), &mut waiting).await;
        assert!(soon.is_err(), "{name} was answered without a hash");
    }
    drop(turn);
    assert_eq!(house.sign_in("nobody", "stands and planes").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn too_many_tries_for_one_account_are_refused_even_with_the_right_password_and_others_are_not_disturbed() {
    let house = House::with(Choices { attempts: 3, ..Choices::default() }).await;
    house.admin().await;
    house.user("other", []).await;
    for _ in 0..3 {
        assert_eq!(house.sign_in("Admin", "stands and planes").await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = house.sign_in("admin", PASSWORD).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_SIGN_INS"));
    let wait: u64 = refused.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=200).contains(&wait), "{wait}");
    assert_eq!(house.sign_in("other", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(house.attempts().await.last(), Some(&("throttled".to_owned(), true)));
}

#[tokio::test]
async fn an_address_that_tries_many_names_is_refused() {
    let house = House::with(Choices { attempts: 3, ..Choices::default() }).await;
    house.admin().await;
    // One address may try for ten accounts' worth.
    for n in 0..30 {
        assert_eq!(house.sign_in(&format!("guess{n}"), PASSWORD).await.status, StatusCode::UNAUTHORIZED, "{n}");
    }
    assert_eq!(house.sign_in("admin", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_link_works_once() {
    let house = House::new().await;
    let user = house.admin().await;
    let (link, _) = house.accounts.issue_link(user, TimeDelta::minutes(5), order()).await.unwrap();
    let body = json!({ "link": link.show(), "session": "tokens" });
    let answer = house.post("/auth/link", body.clone()).await;
    assert_eq!((answer.status, &answer.body["user"]), (StatusCode::OK, &json!(user)));
    assert_eq!(house.post("/auth/link", body).await.code(), "SIGN_IN_REFUSED");
    assert_eq!(house.attempts().await, [("wrong_link".to_owned(), false)]);
}

#[tokio::test]
async fn a_link_that_has_expired_or_whose_person_is_deactivated_does_not_work() {
    let house = House::new().await;
    house.admin().await;
    let user = house.user("other", []).await;
    let (expired, _) = house.accounts.issue_link(user, TimeDelta::seconds(-1), order()).await.unwrap();
    let (later, _) = house.accounts.issue_link(user, TimeDelta::minutes(5), order()).await.unwrap();
    house.accounts.deactivate_user(user, order()).await.unwrap();
    for link in [expired, later] {
        assert_eq!(house.post("/auth/link", json!({ "link": link.show() })).await.code(), "SIGN_IN_REFUSED");
    }
}

#[tokio::test]
async fn a_page_of_another_server_signs_nobody_in() {
    let house = House::new().await;
    house.admin().await;
    let body = json!({ "username": "admin", "password": PASSWORD });
    let foreign = Request::post("/auth/sign-in").header(header::ORIGIN, "https://evil.example");
    assert_eq!(house.send(foreign, Some(body.clone())).await.code(), "ORIGIN_NOT_ALLOWED");
    let own = Request::post("/auth/sign-in").header(header::ORIGIN, "http://localhost");
    assert_eq!(house.send(own, Some(body)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_is_wrong_is_refused_and_not_repeated() {
    let house = House::new().await;
    for body in [
        json!({ "username": "admin" }),
        json!({ "username": 1, "password": "hidden words" }),
        json!([]),
        json!({
        "username": "admin", "password": "hidden words", "role": "admin" }),
    ] {
        let answer = house.post("/auth/sign-in", body).await;
        assert!(answer.status.is_client_error() && answer.code() == "BAD_REQUEST", "{:#}", answer.body);
        assert!(!answer.body.to_string().contains("hidden"));
    }
}

#[tokio::test]
async fn a_hash_of_other_settings_is_made_anew_when_its_person_signs_in() {
    let house = House::new().await;
    let user = house.admin().await;
    let before = people::password_of(&house.pool, user).await.unwrap().unwrap();
    let settings = Settings {
        open: false,
        accounts: Choices { password_kib: 9_000, ..Choices::default() },
        ..Settings::defaults()
    };
    let later = Accounts::open(house.pool.clone(), house.accounts.executor().clone(), &settings).unwrap();
    let address = crate::limits::Address::from(std::net::IpAddr::from([127, 0, 0, 1]));
    later.sign_in("admin", PASSWORD, Holds::Tokens, address).await.unwrap();
    let after = people::password_of(&house.pool, user).await.unwrap().unwrap();
    assert!(before.contains("m=8192") && after.contains("m=9000,t=2,p=1"), "{before} {after}");
    assert_eq!(house.sign_in("admin", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_open_server_signs_nobody_in() {
    let house = House::new().await;
    let settings = Settings::open();
    let services = Services {
        pool: house.pool.clone(),
        log: house.log.clone(),
        executor: house.accounts.executor().clone(),
        projections: Projections::start(house.pool.clone(), house.log.clone(), CancellationToken::new()).await.unwrap(),
        schema: ReadSchema::default(),
        accounts: house.accounts.clone(),
        directory: Directory::of_nobody(),
        webhooks: house.webhooks(),
    };
    let app = App::new(settings, Documents::default(), services, recorder().unwrap(), Life::default());
    let open = House { router: router(app), ..house };
    let answer = open.sign_in("admin", PASSWORD).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "OPEN_SERVER"));
}

#[tokio::test]
async fn processes_with_one_redis_count_sign_ins_together_and_each_by_itself_when_it_is_killed() {
    let mut redis = Redis::start();
    redis.connection().await;
    let pool = testing::database().await;
    let shared = || {
        let settings = settings(Choices { attempts: 6, ..Choices::default() });
        House::of(pool.clone(), Settings { redis_url: Some(redis.url()), ..settings })
    };
    let (one, other) = (shared().await, shared().await);
    for house in [&one, &other] {
        house.accounts.tries().until_shared().await;
    }
    // Six tries for a name, wherever they are made.
    for house in [&one, &other, &one, &other] {
        assert_eq!(house.sign_in("nobody", "stands and planes").await.code(), "SIGN_IN_REFUSED");
    }
    redis.kill();
    // Each process goes on from what it knew to be left, and forgets nothing that it has seen.
    for (house, left) in [(&one, 3), (&other, 2)] {
        for _ in 0..left {
            assert_eq!(house.sign_in("nobody", "stands and planes").await.code(), "SIGN_IN_REFUSED");
        }
        assert_eq!(house.sign_in("nobody", "stands and planes").await.code(), "TOO_MANY_SIGN_INS");
    }
    redis.restart();
    for house in [&one, &other] {
        house.accounts.tries().until_shared().await;
    }
    // An empty Redis knows full buckets only, and all count together again.
    for house in [&one, &other, &one, &other, &one, &other] {
        assert_eq!(house.sign_in("nobody", "stands and planes").await.code(), "SIGN_IN_REFUSED");
    }
    for house in [&one, &other] {
        assert_eq!(house.sign_in("nobody", "stands and planes").await.code(), "TOO_MANY_SIGN_INS");
    }
}

#[tokio::test]
async fn what_is_no_text_of_postgres_is_nobodys_name() {
    let house = House::new().await;
    house.admin().await;
    for username in ["admin\0", "\0", "", "admin\n"] {
        let answer = house.sign_in(username, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{username:?}: {}", answer.body);
    }
}
