//! The beginning of the log is archived.

use serde_json::{Value, json};
use vigie_domain::identity::{IdentityEvent, SessionId, SignIn, SignInMethod};
use vigie_eventlog::ranges::archive;
use vigie_eventlog::{Log, testing};

use super::{MARK, OTHER, OWN, Stage, own_rights};
use crate::clock;
use crate::http::testing::caller;
use crate::rights::{Directory, Right};

impl Stage {
    /// One whose log has ranges of ten events.
    async fn in_short_ranges() -> Self {
        let stage = Self::empty().await;
        let owner = testing::owner(&stage.services.pool).await;
        sqlx::query("select log_resize(10)").execute(&owner).await.unwrap();
        while sqlx::query_scalar::<_, bool>("select log_extend(9)").fetch_one(&owner).await.unwrap() {}
        stage
    }

    /// Archives the whole ranges so far, as the command line does; the last position that is in files.
    async fn archive(&self) -> i64 {
        let head = self.caught_up().await;
        let (folder, login) =
            (tempfile::tempdir().unwrap(), testing::owner_options(&self.services.pool.connect_options()));
        let kept: Vec<&str> = IdentityEvent::TYPES.iter().map(|known| known.name).collect();
        archive(&login, head, folder.path(), &kept, &|_| {}).await.unwrap().last().unwrap().last
    }
}

#[tokio::test]
async fn a_server_starts_and_people_sign_in_when_the_facts_about_them_are_archived() {
    let stage = Stage::in_short_ranges().await;
    stage.airport(OWN[0], MARK).await;
    let (user, who) = stage.person(&["viewer@OWN", "operator@OWN"]).await;
    let (gone, signed_out) = stage.person(&["viewer@OWN"]).await;
    stage.command(vigie_domain::identity::DeactivateUser { user: gone }).await;
    for number in 200..215 {
        stage.flight(OWN[0], &number.to_string(), "2026-01-15T12:00:00Z").await;
    }
    let last = stage.archive().await;
    assert!(last > 20, "{last}");

    // Another process, which has none of it in memory.
    let log = Log::open(stage.services.pool.clone()).await.unwrap();
    let directory = Directory::start(&log).await.unwrap();
    assert!(directory.rights(who, clock::now()).unwrap().hold_at(Right::Operate, OWN[0]));
    assert!(directory.rights(signed_out, clock::now()).is_err());
    let executor = vigie_commands::Executor::new(log.clone(), std::sync::Arc::new(clock::now));
    let session = SessionId::from(uuid::Uuid::now_v7());
    let sign_in = SignIn { user, session, method: SignInMethod::Password };
    let order = || vigie_commands::Order::new(uuid::Uuid::now_v7(), "operator:all");
    assert_eq!(executor.execute(&sign_in, order()).await.unwrap().appended, 1);
    let again = vigie_domain::identity::DeactivateUser { user: gone };
    assert_eq!(executor.execute(&again, order()).await.unwrap().appended, 0, "that they are is known");
}

#[tokio::test]
async fn a_page_of_events_of_a_site_is_full_and_needs_nothing_of_other_sites() {
    let stage = Stage::in_short_ranges().await;
    stage.airport(OTHER[0], MARK).await;
    for number in 200..220 {
        stage.flight(OTHER[0], &number.to_string(), "2026-01-15T12:00:00Z").await;
    }
    let last = stage.archive().await;
    stage.airport(OWN[0], "plain").await;
    stage.flight(OTHER[0], "400", "2026-01-15T12:00:00Z").await;
    stage.flight(OWN[0], "201", "2026-01-15T12:00:00Z").await;
    stage.caught_up().await;
    let person = caller("user:person", None, &own_rights());
    let text = "query($first: Int, $last: Int, $after: String, $types: [String!]) {
        events(first: $first, last: $last, after: $after, filter: { types: $types }) {
            nodes { position site type } pageInfo { endCursor hasNextPage hasPreviousPage } } }";
    let all = stage.ask(&person, text, json!({ "first": 50 })).await["data"]["events"].take();
    let nodes = all["nodes"].as_array().unwrap();
    assert!(nodes.len() >= 7 && nodes.iter().all(|node| node["site"] == OWN[0]), "{all}");
    assert!(nodes.iter().all(|node| node["position"].as_i64().unwrap() > last), "{all}");
    // In pages, each of which is full.
    let (mut paged, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = stage.ask(&person, text, json!({ "first": 2, "after": after })).await["data"]["events"].take();
        let found = page["nodes"].as_array().unwrap();
        let more = page["pageInfo"]["hasNextPage"] == true;
        assert!(found.len() == 2 || !more, "{page}");
        paged.extend(found.clone());
        after = page["pageInfo"]["endCursor"].clone();
        if !more {
            break;
        }
    }
    assert_eq!(paged, *nodes);
    let newest = stage.ask(&person, text, json!({ "last": 2 })).await["data"]["events"].take();
    assert_eq!(newest["nodes"].as_array().unwrap()[..], nodes[nodes.len() - 2..]);
    assert_eq!(newest["pageInfo"]["hasPreviousPage"], true);
    for (types, count) in [
        (json!(["airport.stand_defined"]), 2),
        (json!(["airport.stand_defined", "airport.stand_closed"]), 3),
        (json!(["rail.limits_set"]), 0),
    ] {
        let found = stage.ask(&person, text, json!({ "first": 50, "types": types })).await;
        assert_eq!(found["data"]["events"]["nodes"].as_array().map(Vec::len), Some(count), "{types}: {found}");
    }
}
