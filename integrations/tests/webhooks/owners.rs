//! Several processes share the endpoints, and who was replaced writes nothing any more.

use vigie_integrations::webhooks::Endpoint;
use vigie_integrations::webhooks::testing::{Behaviour, Gate, Receiver, Reply, endpoint};

use crate::world::{World, positions, stands_at};

async fn owners(world: &World) -> Vec<(i64, i64)> {
    sqlx::query_as("select owner, count(*) from webhook_state where owner is not null group by owner order by owner")
        .fetch_all(&world.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn processes_share_evenly_and_take_over_what_one_leaves() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Behaviour::fine()).await);
    let endpoints: Vec<Endpoint> = (0..9).map(|n| endpoint(&format!("{}?n={n}", receiver.url()))).collect();
    world.configure(endpoints.clone());
    let shares = async |shares: &[i64]| {
        world
            .until(&format!("shares of {shares:?}"), async |_| {
                let found: Vec<i64> = owners(&world).await.into_iter().map(|(_, count)| count).collect();
                (found == shares).then_some(())
            })
            .await;
    };
    let first = world.process();
    shares(&[9]).await;
    let second = world.process();
    shares(&[5, 4]).await;
    let third = world.process();
    shares(&[3, 3, 3]).await;
    first.webhooks.close().await;
    world
        .until("all of them owned by two", async |_| {
            let found = owners(&world).await;
            (found.len() == 2 && found.iter().map(|(_, count)| count).sum::<i64>() == 9).then_some(())
        })
        .await;
    world.append(&[&["a:1"]]).await;
    receiver.has(9).await;
    for endpoint in &endpoints {
        world.until_at(endpoint, 1).await;
    }
    assert_eq!(receiver.count(), 9);
    second.webhooks.close().await;
    third.webhooks.close().await;
}

#[tokio::test]
async fn who_was_replaced_writes_nothing_any_more() {
    let gate = Gate::default();
    let held = gate.clone();
    let receiver = Receiver::start(move |_| Behaviour::Gated(held.clone(), Reply::status(200))).await;
    let world = World::new().await;
    let endpoint = endpoint(&receiver.url());
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.append(&[&["a:1"]]).await;
    receiver.has(1).await;
    // Somebody else takes the endpoint over while its request is on its way, and is far ahead.
    sqlx::query("update webhook_state set owner = -1, epoch = epoch + 1, position = 100")
        .execute(&world.pool)
        .await
        .unwrap();
    sqlx::query("insert into webhook_worker (id) overriding system value values (-1)")
        .execute(&world.pool)
        .await
        .unwrap();
    gate.open(1_000);
    // It finds out, and takes the endpoint back where the other one, of whom there is no lock, has left it.
    world
        .until("the endpoint taken back", async |pool| {
            let owner: Option<i64> =
                sqlx::query_scalar("select owner from webhook_state").fetch_one(pool).await.unwrap();
            owner.is_some_and(|owner| owner > 0).then_some(())
        })
        .await;
    assert_eq!(stands_at(endpoint.id, &world.pool).await, Some(100));
    let attempts: i64 =
        sqlx::query_scalar("select count(*) from webhook_attempt").fetch_one(&world.pool).await.unwrap();
    assert_eq!(attempts, 0, "what the replaced owner was told is not recorded");
    assert_eq!(positions(&receiver), [1]);
    process.webhooks.close().await;
}

#[tokio::test]
async fn who_takes_over_reads_on_however_much_was_settled_before_what_is_first() {
    let (world, receiver) = (World::new().await, Receiver::start(|_| Behaviour::fine()).await);
    let endpoint = endpoint(&receiver.url());
    world.configure([endpoint.clone()]);
    let process = world.process();
    world.until_at(&endpoint, 0).await;
    process.webhooks.close().await;
    // As a process leaves it that was killed while the first one was on its way.
    world.append(&[&[] as &[&str]; 601]).await;
    let left =
        "update webhook_state set owner = null, ahead = array(select generate_series(2, 600)) where position = 0";
    assert_eq!(sqlx::query(left).execute(&world.pool).await.unwrap().rows_affected(), 1);
    let process = world.process();
    world.until_at(&endpoint, 601).await;
    assert_eq!(positions(&receiver), [1, 601]);
    process.webhooks.close().await;
}
