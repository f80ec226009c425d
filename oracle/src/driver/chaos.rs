//! What is done to the system, at random: a deck of faults, shuffled, again and again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::proxy::Break;
use super::server::Server;
use super::slots::{PATIENCE, Slot};
use super::tally::Tally;
use super::{crashes, restore, sessions};
use crate::Fault;
use crate::dice::Dice;

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Card {
    KillProcess,
    PauseProcess,
    Break(Break),
    EndSession,
    KillBackend,
    StopServer,
    KillServer,
    CancelAppend,
    HoldLock,
    IdleInTransaction,
    Backup,
    Restore,
}

/// How often each comes in one deck.
const DECK: [(Card, usize); 14] = [
    (Card::KillProcess, 4),
    (Card::PauseProcess, 1),
    (Card::Break(Break::AfterAnswer), 6),
    (Card::Break(Break::AfterCommit), 2),
    (Card::Break(Break::BeforeCommit), 2),
    (Card::EndSession, 3),
    (Card::KillBackend, 1),
    (Card::StopServer, 1),
    (Card::KillServer, 1),
    (Card::CancelAppend, 2),
    (Card::HoldLock, 1),
    (Card::IdleInTransaction, 1),
    (Card::Backup, 1),
    (Card::Restore, 1),
];

/// All that can be broken.
pub(crate) struct Ground {
    pub(crate) server: Server,
    pub(crate) slots: Vec<Arc<Slot>>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) backups: restore::Backups,
}

/// Breaks until the time is over; what lasts has ended when this returns.
pub(crate) async fn run(ground: &Arc<Ground>, mut dice: Dice, until: Instant) -> Result<(), Fault> {
    let mut lasting = JoinSet::new();
    lasting.spawn(sessions::long_transaction(Arc::clone(ground), until));
    let mut deck = shuffled(&mut dice);
    let mut first = true;
    // Each fault comes at least once, however short the time and slow the machine.
    while first || Instant::now() < until {
        let Some(card) = deck.pop() else {
            (deck, first) = (shuffled(&mut dice), false);
            continue;
        };
        play(ground, card, &mut dice, &mut lasting).await?;
        tokio::time::sleep(Duration::from_millis(dice.between(50, 600))).await;
    }
    while let Some(ended) = lasting.join_next().await {
        ended??;
    }
    for slot in &ground.slots {
        slot.proxy.calm();
    }
    Ok(())
}

/// A process that is ready and not stopped, once there is one.
async fn ready(ground: &Ground, dice: &mut Dice) -> Result<Arc<Slot>, Fault> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let awake = |slot: &&Arc<Slot>| slot.is_ready() && !slot.paused.load(Ordering::Acquire);
        let ready: Vec<_> = ground.slots.iter().filter(awake).collect();
        if let Some(slot) = dice.pick(&ready) {
            return Ok(Arc::clone(slot));
        }
        if Instant::now() > deadline {
            return Err("no process has become ready".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn shuffled(dice: &mut Dice) -> Vec<Card> {
    let mut deck: Vec<Card> = DECK.iter().flat_map(|(card, times)| std::iter::repeat_n(*card, *times)).collect();
    dice.shuffle(&mut deck);
    deck
}

async fn play(
    ground: &Arc<Ground>,
    card: Card,
    dice: &mut Dice,
    lasting: &mut JoinSet<Result<(), Fault>>,
) -> Result<(), Fault> {
    let slot = |dice: &mut Dice| {
        let awake: Vec<_> = ground.slots.iter().filter(|slot| !slot.paused.load(Ordering::Acquire)).collect();
        dice.pick(&awake).map(|slot| Arc::clone(slot))
    };
    match card {
        // Whatever is drawn happens, however slowly the processes start: the next one that is ready is hit.
        Card::KillProcess => while !crashes::kill_process(ground, &*ready(ground, dice).await?) {},
        Card::PauseProcess => loop {
            let slot = ready(ground, dice).await?;
            if crashes::stop_process(ground, &slot) {
                lasting.spawn(crashes::leave_stopped(Arc::clone(ground), slot, dice.clone()));
                break;
            }
        },
        Card::Break(place) => {
            if let Some(slot) = slot(dice) {
                slot.proxy.arm(place);
            }
        }
        Card::EndSession => sessions::end(ground, dice).await?,
        Card::KillBackend => crashes::kill_backend(ground, dice).await?,
        Card::StopServer => crashes::stop_server(ground).await?,
        Card::KillServer => crashes::kill_server(ground, dice).await?,
        Card::CancelAppend => sessions::cancel_append(ground).await?,
        Card::HoldLock => sessions::hold_lock(ground, dice).await?,
        Card::IdleInTransaction => {
            lasting.spawn(sessions::idle_in_transaction(Arc::clone(ground), dice.clone()));
        }
        Card::Backup => restore::backup(ground).await?,
        Card::Restore => restore::restore(ground).await?,
    }
    Ok(())
}
