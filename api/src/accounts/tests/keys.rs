//! API keys.

use chrono::TimeDelta;
use vigie_domain::identity::{KeyId, Role};

use super::*;

impl House {
    async fn key(&self, days: i64) -> (KeyId, Secret) {
        let expires_at = clock::now() + TimeDelta::days(days);
        let issued =
            self.accounts.issue_key("feed", [Grant::everywhere(Role::Integrator)].into(), expires_at, order()).await;
        let (done, secret) = issued.unwrap();
        (done.answer, secret.unwrap())
    }
}

#[tokio::test]
async fn a_program_shows_its_key_until_it_is_revoked() {
    let house = House::new().await;
    let (key, secret) = house.key(1).await;
    assert!(secret.show().starts_with("vgk_"));
    let me = house.bearer(secret.show()).await;
    assert_eq!(me.body["actor"], format!("key:{key}"));
    assert_eq!(me.body["username"], Value::Null);
    assert!(house.accounts.keys().await.unwrap()[0].last_used_at.is_some());
    house.accounts.revoke_key(key, order()).await.unwrap();
    assert_eq!(house.bearer(secret.show()).await.code(), "UNAUTHENTICATED");
    assert_eq!(house.events().await, ["identity.key_issued", "identity.role_granted", "identity.key_revoked"]);
}

#[tokio::test]
async fn a_key_that_has_expired_or_never_was_does_not_work() {
    let house = House::new().await;
    let (_, secret) = house.key(1).await;
    sqlx::query!("update api_key set expires_at = now() - interval '1 second'").execute(&house.pool).await.unwrap();
    assert_eq!(house.bearer(secret.show()).await.code(), "UNAUTHENTICATED");
    assert_eq!(house.bearer(Secret::draw(secret::Kind::Key).show()).await.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn what_is_kept_of_a_key_is_no_key() {
    let house = House::new().await;
    let (_, secret) = house.key(1).await;
    let kept = sqlx::query_scalar!("select encode(hash, 'hex') from api_key").fetch_one(&house.pool).await.unwrap();
    for shown in [kept.unwrap(), secret.show().trim_start_matches("vgk_").to_owned()] {
        assert_eq!(house.bearer(&shown).await.code(), "UNAUTHENTICATED");
        assert_eq!(
            house.bearer(&format!("vgk_{shown}")).await.status == StatusCode::OK,
            secret.show().ends_with(&shown)
        );
    }
}

#[tokio::test]
async fn the_same_command_again_makes_no_other_key_and_shows_nothing() {
    let house = House::new().await;
    let (order, expires_at) = (order(), clock::now() + TimeDelta::days(1));
    let (first, secret) = house.accounts.issue_key("feed", BTreeSet::new(), expires_at, order.clone()).await.unwrap();
    let (again, none) = house.accounts.issue_key("feed", BTreeSet::new(), expires_at, order).await.unwrap();
    assert_eq!(first.answer, again.answer);
    assert!(secret.is_some() && none.is_none());
    assert_eq!(house.accounts.keys().await.unwrap().len(), 1);
}
