//! Access tokens: whose signature counts, and for how long.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use super::*;

/// The three parts of a token.
fn parts(token: &str) -> [String; 3] {
    token.split('.').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
}

fn read(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn write(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

impl House {
    async fn token(&self) -> String {
        tokens(&self.sign_in("admin", PASSWORD).await).0
    }

    async fn keys(&self) -> i64 {
        sqlx::query_scalar!("select count(*) from signing_key").fetch_one(&self.pool).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_token_is_signed_with_ed25519_and_works_ten_minutes() {
    let house = House::new().await;
    let user = house.admin().await;
    let [head, claims, _] = parts(&house.token().await);
    assert_eq!(read(&head)["alg"], "EdDSA");
    let claims = read(&claims);
    assert_eq!(claims["sub"], json!(user));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
}

#[tokio::test]
async fn no_other_algorithm_counts_whatever_the_token_says() {
    let house = House::new().await;
    house.admin().await;
    let token = house.token().await;
    let [head, claims, signature] = parts(&token);
    let public = sqlx::query_scalar!("select public_key from signing_key").fetch_one(&house.pool).await.unwrap();
    let kid = read(&head)["kid"].clone();
    let renamed = |alg: &str| write(&json!({ "alg": alg, "typ": "JWT", "kid": kid }));
    let hmac = |secret: &[u8]| {
        let header = Header { kid: kid.as_str().map(str::to_owned), ..Header::new(Algorithm::HS256) };
        encode(&header, &read(&claims), &EncodingKey::from_secret(secret)).unwrap()
    };
    let mut other = read(&claims);
    other["sub"] = json!(Uuid::now_v7());
    for (what, forged) in [
        ("alg none", format!("{}.{claims}.", renamed("none"))),
        ("alg none with the signature", format!("{}.{claims}.{signature}", renamed("none"))),
        ("alg HS256 with the signature", format!("{}.{claims}.{signature}", renamed("HS256"))),
        ("HS256 with the public key for a secret", hmac(&public)),
        ("HS256 with the public key in base64", hmac(URL_SAFE_NO_PAD.encode(&public).as_bytes())),
        ("other claims", format!("{head}.{}.{signature}", write(&other))),
        ("no signature", format!("{head}.{claims}.")),
        ("another key", format!("{}.{claims}.{signature}", write(&json!({ "alg": "EdDSA", "kid": Uuid::now_v7() })))),
        ("no key", format!("{}.{claims}.{signature}", write(&json!({ "alg": "EdDSA" })))),
        ("words", "not a token".to_owned()),
    ] {
        assert_eq!(house.bearer(&forged).await.code(), "UNAUTHENTICATED", "{what}");
    }
    assert_eq!(house.bearer(&token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_has_expired_does_not_work() {
    let house = House::with(Choices { token: TimeDelta::seconds(-1), ..Choices::default() }).await;
    house.admin().await;
    assert_eq!(house.bearer(&house.token().await).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_token_does_not_outlive_its_session() {
    let house = House::with(Choices { session: TimeDelta::minutes(2), ..Choices::default() }).await;
    house.admin().await;
    let claims = read(&parts(&house.token().await)[1]);
    assert!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap() <= 120);
}

#[tokio::test]
async fn every_process_checks_what_the_others_have_signed_with_keys_of_their_own() {
    let (house, other) = {
        let house = House::new().await;
        let other = house.beside().await;
        (house, other)
    };
    house.admin().await;
    let (one, two) = (house.token().await, other.token().await);
    assert_eq!(house.keys().await, 2);
    for token in [&one, &two] {
        assert_eq!(house.bearer(token).await.status, StatusCode::OK);
        assert_eq!(other.bearer(token).await.status, StatusCode::OK);
    }
    let columns = sqlx::query_scalar!(
        "select column_name::text from information_schema.columns where table_name = 'signing_key' order by 1"
    );
    let columns: Vec<_> = columns.fetch_all(&house.pool).await.unwrap().into_iter().flatten().collect();
    assert_eq!(columns, ["expires_at", "key_id", "made_at", "public_key", "retires_at"], "no private half is kept");
}

#[tokio::test]
async fn after_a_rotation_two_keys_are_valid_and_the_new_one_signs() {
    let house = House::new().await;
    house.admin().await;
    let before = house.token().await;
    assert_eq!(Tokens::rotate(&house.pool, false).await.unwrap(), 1);
    house.accounts.tokens().look_again();
    let after = house.token().await;
    assert_ne!(read(&parts(&before)[0])["kid"], read(&parts(&after)[0])["kid"]);
    for token in [&before, &after] {
        assert_eq!(house.bearer(token).await.status, StatusCode::OK);
    }
    assert_eq!(Tokens::rotate(&house.pool, true).await.unwrap(), 2);
    house.accounts.tokens().look_again();
    for token in [&before, &after] {
        assert_eq!(house.bearer(token).await.code(), "UNAUTHENTICATED", "they were revoked");
    }
    assert_eq!(house.bearer(&house.token().await).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_that_has_signed_long_enough_is_followed_by_another() {
    let house = House::with(Choices { signing: TimeDelta::zero(), ..Choices::default() }).await;
    house.admin().await;
    let (one, two) = (house.token().await, house.token().await);
    assert_ne!(read(&parts(&one)[0])["kid"], read(&parts(&two)[0])["kid"]);
    assert_eq!(house.bearer(&one).await.status, StatusCode::OK);
}
