//! Processes that die or stand still: those of Vigie and those of Postgres.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use sqlx::PgConnection;

use super::chaos::Ground;
use super::sessions;
use super::signal::Process;
use super::slots::Slot;
use crate::Fault;
use crate::dice::Dice;

/// Longer than anybody waits before taking over: a policy looks every 2 s, a read model every second, and its owner
/// asks after its own lock every 5 s.
const LEASES: Duration = Duration::from_secs(7);

/// SIGKILL, at any moment once it is ready; false when it ended before.
pub(super) fn kill_process(ground: &Ground, slot: &Slot) -> bool {
    let killed = slot.signal(Signal::KILL);
    if killed {
        ground.tally.add("processes killed");
    }
    killed
}

/// SIGSTOP; false when it ended before.
pub(super) fn stop_process(ground: &Ground, slot: &Slot) -> bool {
    let stopped = slot.signal(Signal::STOP);
    if stopped {
        slot.paused.store(true, Ordering::Release);
        ground.tally.add("processes stopped past every lease");
    }
    stopped
}

/// SIGCONT once others have taken over what it owned: Postgres ends the sessions of who is silent, as it does when a
/// machine is cut off, and that is when leases end.
pub(super) async fn leave_stopped(ground: Arc<Ground>, slot: Arc<Slot>, mut dice: Dice) -> Result<(), Fault> {
    let generation = slot.generation();
    tokio::time::sleep(Duration::from_millis(dice.between(0, 1_000))).await;
    let mut admin = ground.server.admin().await?;
    for backend in slot.proxy.backends() {
        // The server may go down in between; then the session ends anyhow.
        let _ = terminate(&mut admin, backend).await;
    }
    tokio::time::sleep(LEASES + Duration::from_millis(dice.between(0, 2_000))).await;
    if slot.generation() == generation {
        slot.signal(Signal::CONT);
    }
    slot.paused.store(false, Ordering::Release);
    Ok(())
}

/// Ends a session from outside.
pub(super) async fn terminate(admin: &mut PgConnection, backend: i32) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"select pg_terminate_backend($1) as "ended!""#, backend).fetch_one(admin).await
}

/// SIGKILL of one of Postgres's processes: the server ends every session and recovers.
pub(super) async fn kill_backend(ground: &Ground, dice: &mut Dice) -> Result<(), Fault> {
    let mut admin = ground.server.admin().await?;
    let backends = sessions::backends(&mut admin).await?;
    if let Some(pid) = dice.pick(&backends).copied().and_then(Pid::from_raw)
        && let Some(backend) = Process::working_in(&ground.server.data(), pid)
        && backend.send(Signal::KILL)
    {
        ground.tally.add("Postgres backends killed");
    }
    Ok(())
}

/// Immediate shutdown.
pub(super) async fn stop_server(ground: &Ground) -> Result<(), Fault> {
    ground.server.signal(Signal::QUIT).await?;
    ground.tally.add("immediate shutdowns of Postgres");
    ground.server.revive().await
}

/// SIGKILL of the postmaster, or of all of Postgres at once. Who starts it again waits for the old backends to end.
pub(super) async fn kill_server(ground: &Ground, dice: &mut Dice) -> Result<(), Fault> {
    if dice.chance(70) {
        ground.server.signal(Signal::KILL).await?;
        ground.tally.add("postmasters killed");
    } else {
        ground.server.cut_power().await?;
        ground.tally.add("every process of Postgres killed at once");
    }
    ground.server.revive().await
}
