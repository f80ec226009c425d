//! The accounts of the demo.

use super::*;
use crate::demo::accounts::make;

#[tokio::test]
async fn each_role_has_an_account_at_every_start_and_a_link_signs_in_with_all_of_them() {
    let house = House::new().await;
    for start in 1..=2 {
        let demo = make(&house.accounts).await.unwrap();
        assert_eq!(demo.roles.len(), Role::ALL.len());
        for (username, password) in &demo.roles {
            let answer = house.sign_in(username, password.show()).await;
            assert_eq!(answer.status, StatusCode::OK, "{username} at start {start}");
        }
        let answer = house.post("/auth/link", json!({ "link": demo.link.unwrap().show(), "session": "tokens" })).await;
        assert_eq!(answer.status, StatusCode::OK);
        let events = house.events().await;
        let granted = events.iter().filter(|kind| *kind == "identity.role_granted").count();
        assert_eq!(granted, 2 * Role::ALL.len(), "each role once alone and once with all others");
    }
}

#[tokio::test]
async fn an_account_that_the_demo_has_not_made_keeps_its_password_and_roles() {
    let house = House::new().await;
    house.user("admin", []).await;
    house.user("demo", []).await;
    let demo = make(&house.accounts).await.unwrap();
    assert!(demo.link.is_none());
    let others: Vec<_> = demo.roles.iter().map(|(username, _)| *username).collect();
    assert!(!others.contains(&"admin") && others.len() == Role::ALL.len() - 1, "{others:?}");
    for username in ["admin", "demo"] {
        assert_eq!(house.sign_in(username, PASSWORD).await.status, StatusCode::OK, "{username}");
    }
}
