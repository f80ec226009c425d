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
        let answer = house.post("/auth/link", json!({ "link": demo.link.show(), "session": "tokens" })).await;
        assert_eq!(answer.status, StatusCode::OK);
        let events = house.events().await;
        let granted = events.iter().filter(|kind| *kind == "identity.role_granted").count();
        assert_eq!(granted, 2 * Role::ALL.len(), "each role once alone and once with all others");
    }
}
