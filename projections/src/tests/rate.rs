//! How fast read models fold. Ignored unless asked for: `cargo test -p vigie-projections rate -- --ignored --nocapture`.

use std::time::Instant;

use tokio_util::sync::CancellationToken;
use vigie_domain::Event;

use crate::audit::{Audit, AuditRow};
use crate::samples::*;
use crate::spec::{given, in_memory};
use crate::{Model, rebuild};

/// A flight with its life on a stand: nine events.
fn life(number: u32) -> Vec<Event> {
    let flight_id = arrival(number);
    let mut events = vec![flight(&flight_id)];
    events.extend((1..6).map(|minute| estimated(&flight_id, minute * 7)));
    events.push(allocated(number, "C03", &flight_id, None));
    events.push(moved(number, "C03", "C04", &flight_id));
    events.push(freed(number, "C04", &flight_id));
    events
}

#[tokio::test]
#[ignore = "a measurement, not a check"]
async fn rate_of_the_read_models() {
    let given = given([site("Lomé"), stand("C03", 80), stand("C04", 90)]).await;
    for block in 0..20_u32 {
        given.and((1 + block * 100..101 + block * 100).flat_map(life)).await;
    }
    let head = given.log.head().await.unwrap();
    let trail = Model::of::<Audit>();
    let events = given.events(&trail.query()).await;
    let start = Instant::now();
    for batch in events.chunks(1_000) {
        in_memory::<AuditRow>(&trail, batch);
    }
    println!("audit in memory: {:.0} events/s", head as f64 / start.elapsed().as_secs_f64());
    for name in ["flights", "allocations", "audit"] {
        let start = Instant::now();
        rebuild(&given.pool, &given.log, name, &|_| {}, &CancellationToken::new()).await.unwrap();
        let rate = head as f64 / start.elapsed().as_secs_f64();
        println!("{name}: {head} events of the log in {:?}, {rate:.0} events/s", start.elapsed());
    }
}
