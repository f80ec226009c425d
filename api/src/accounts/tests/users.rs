//! Making, changing and erasing users.

use vigie_commands::Failure;
use vigie_domain::identity::IdentityRefusal;

use super::*;

fn somebody(username: &str) -> NewUser {
    let details = Details {
        username: Username::new(username).unwrap(),
        full_name: "Somebody of the ramp".to_owned(),
        email: Some("somebody@ramp.example".to_owned()),
        note: "prefers nights".to_owned(),
    };
    NewUser { details, grants: BTreeSet::new(), first: false }
}

#[tokio::test]
async fn a_name_is_taken_once_whatever_its_capitals() {
    let house = House::new().await;
    house.accounts.create_user(somebody("ramp"), order()).await.unwrap();
    let taken = house.accounts.create_user(somebody("Ramp"), order()).await;
    assert!(matches!(taken, Err(UserError::Person(PersonError::Taken { .. }))), "{taken:?}");
    assert_eq!(house.events().await, ["identity.user_created"]);
}

#[tokio::test]
async fn the_same_command_again_makes_nobody_else() {
    let house = House::new().await;
    let order = order();
    let first = house.accounts.create_user(somebody("ramp"), order.clone()).await.unwrap();
    let again = house.accounts.create_user(somebody("ramp"), order).await.unwrap();
    assert_eq!((first.answer, first.position), (again.answer, again.position));
    assert_eq!(house.events().await.len(), 1);
}

#[tokio::test]
async fn who_is_refused_by_the_log_does_not_hold_the_name() {
    let house = House::new().await;
    let nowhere = Grant::at(Role::Viewer, vigie_domain::support::SiteId::new("HKG").unwrap());
    let refused = NewUser { grants: [nowhere].into(), ..somebody("ramp") };
    let refused = house.accounts.create_user(refused, order()).await;
    assert!(matches!(refused, Err(UserError::Command(Failure::Refused(IdentityRefusal::SiteUnknown { .. })))));
    house.accounts.create_user(somebody("ramp"), order()).await.unwrap();
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let house = House::new().await;
    let first = |name| NewUser { grants: [Grant::everywhere(Role::Admin)].into(), first: true, ..somebody(name) };
    house.accounts.create_user(first("admin"), order()).await.unwrap();
    let second = house.accounts.create_user(first("admin2"), order()).await;
    assert!(matches!(second, Err(UserError::Command(Failure::Refused(IdentityRefusal::AlreadyBootstrapped)))));
}

#[tokio::test]
async fn the_last_administrator_is_neither_deactivated_nor_erased() {
    let house = House::new().await;
    let admin = house.admin().await;
    for refused in
        [house.accounts.deactivate_user(admin, order()).await, house.accounts.erase_user(admin, order()).await]
    {
        assert!(matches!(
            refused,
            Err(UserError::Command(Failure::Refused(IdentityRefusal::LastAdministrator { .. })))
        ));
    }
    assert_eq!(house.sign_in("admin", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_is_deactivated_has_no_session_and_no_link_left() {
    let house = House::new().await;
    house.admin().await;
    let user = house.user("other", []).await;
    let (_, refresh) = tokens(&house.sign_in("other", PASSWORD).await);
    house.accounts.deactivate_user(user, order()).await.unwrap();
    assert_eq!(house.post("/auth/refresh", json!({ "refreshToken": refresh })).await.code(), "SIGN_IN_REFUSED");
    assert_eq!(house.sign_in("other", PASSWORD).await.code(), "SIGN_IN_REFUSED");
}

#[tokio::test]
async fn a_password_that_is_short_common_or_the_name_is_not_taken() {
    let house = House::new().await;
    let user = house.user("ramp-agent", []).await;
    for password in ["elevenchars", "Password1234", "the ramp-agent himself", "aaaaaaaaaaaaaaaa"] {
        let unfit = house.accounts.set_password(user, password, Subject::Open, order()).await;
        assert!(matches!(unfit, Err(UserError::Unfit(_))), "{password}");
    }
    assert_eq!(house.sign_in("ramp-agent", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn another_password_needs_the_present_one_and_ends_the_other_sessions() {
    let house = House::new().await;
    let user = house.user("other", []).await;
    let (own, elsewhere) = (house.sign_in("other", PASSWORD).await, house.sign_in("other", PASSWORD).await);
    let principal = house.accounts.bearer(&tokens(&own).0).await.unwrap();
    let address = crate::limits::Address::from(std::net::IpAddr::from([127, 0, 0, 1]));
    let (who, next) = ((user, principal.subject), "trains and stands");
    let wrong = house.accounts.change_password(who, ("stands and planes", next), address, order()).await;
    assert!(matches!(wrong, Err(UserError::WrongPassword)), "{wrong:?}");
    house.accounts.change_password(who, (PASSWORD, next), address, order()).await.unwrap();
    assert_eq!(house.sign_in("other", PASSWORD).await.code(), "SIGN_IN_REFUSED");
    assert_eq!(house.sign_in("other", next).await.status, StatusCode::OK);
    let refresh =
        async |answer: &Answer| house.post("/auth/refresh", json!({ "refreshToken": tokens(answer).1 })).await;
    assert_eq!(refresh(&own).await.status, StatusCode::OK);
    assert_eq!(refresh(&elsewhere).await.code(), "SIGN_IN_REFUSED");
}

#[tokio::test]
async fn what_somebody_wrote_into_refused_commands_and_names_of_keys_goes_with_them() {
    let house = House::new().await;
    let user = house.user("ramp.lead", [Grant::everywhere(Role::Supervisor)]).await;
    let other = house.user("other", [Grant::everywhere(Role::Supervisor)]).await;
    for username in ["ramp.lead", "other"] {
        let token = tokens(&house.sign_in(username, PASSWORD).await).0;
        let text =
            "mutation { closeStand(input: { stand: \"LFW/C01\", from: \"2026-01-15T06:00:00Z\", reason: \"xyzzy\" }) {
            ... on Refusal { code } } }";
        let request = Request::post("/graphql").header(header::AUTHORIZATION, format!("Bearer {token}"));
        house.send(request, Some(json!({ "query": text }))).await;
    }
    let end = clock::now() + chrono::TimeDelta::days(1);
    let roles = || BTreeSet::from([Grant::everywhere(Role::Viewer)]);
    for name in ["tablet of Ramp.Lead", "of RAMP.LEAD of the house, 2", "ramp.leader", "gate displays"] {
        house.accounts.issue_key(name, roles(), end, order()).await.unwrap();
    }
    house.accounts.erase_user(user, order()).await.unwrap();
    let kept = "select actor || ' ' || (input::text like '%xyzzy%') from refusal where command = 'airport.close_stand' order by id";
    let kept: Vec<String> = sqlx::query_scalar(kept).fetch_all(&house.pool).await.unwrap();
    assert_eq!(kept, [format!("user:{user} false"), format!("user:{other} true")]);
    let names: Vec<_> = house.accounts.keys().await.unwrap();
    let named = |key: &KeyRow| if key.name == key.key.to_string() { "(its id)".to_owned() } else { key.name.clone() };
    assert_eq!(names.iter().map(named).collect::<Vec<_>>(), ["(its id)", "(its id)", "ramp.leader", "gate displays"]);
}
