//! Noticing that somebody may no longer do what they do.

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use vigie_domain::identity::SessionId;

use super::{Denied, Followed, Standing};
use crate::clock;
use crate::rights::{Right, Rights};

/// Watches what one caller may do, from a moment on.
pub(crate) struct Watching {
    session: Option<SessionId>,
    standing: watch::Receiver<Standing>,
    followed: watch::Receiver<Followed>,
}

/// Why something that runs ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lapse {
    /// A right that it needs was taken away.
    Right(Right),
    /// What the caller showed is worth nothing any more.
    Denied(Denied),
}

impl Watching {
    pub(super) fn new(
        session: Option<SessionId>,
        standing: watch::Receiver<Standing>,
        followed: watch::Receiver<Followed>,
    ) -> Self {
        Self { session, standing, followed }
    }

    /// Waits until `needed` is no longer held at every site at which `held` has it, or what was shown ends, at `ends_at`
    /// at the latest.
    pub(crate) async fn lapses(mut self, held: &Rights, needed: &[Right], ends_at: Option<DateTime<Utc>>) -> Lapse {
        loop {
            if let Some(lapse) = self.lapse(held, needed) {
                return lapse;
            }
            if let Some(lapse) = self.changed(ends_at).await {
                return lapse;
            }
        }
    }

    /// Waits until they may do nothing at all any more.
    pub(crate) async fn ends(mut self, ends_at: Option<DateTime<Utc>>) -> Lapse {
        let nothing = Rights::default();
        loop {
            match self.standing.borrow_and_update().rights(self.session, clock::now()) {
                Err(denied) => return Lapse::Denied(denied),
                Ok(now) if *now == nothing => return Lapse::Right(Right::Read),
                Ok(_) => {}
            }
            if let Some(lapse) = self.changed(ends_at).await {
                return lapse;
            }
        }
    }

    /// Waits for a change; that nothing is known any more, or what was shown ends.
    async fn changed(&mut self, ends_at: Option<DateTime<Utc>>) -> Option<Lapse> {
        tokio::select! {
            changed = self.standing.changed() => changed.err().map(|_| Lapse::Denied(Denied::Lost)),
            _ = self.followed.wait_for(|followed| followed.lost) => Some(Lapse::Denied(Denied::Lost)),
            () = until(ends_at) => Some(Lapse::Denied(Denied::Ended)),
        }
    }

    fn lapse(&mut self, held: &Rights, needed: &[Right]) -> Option<Lapse> {
        match self.standing.borrow_and_update().rights(self.session, clock::now()) {
            Err(denied) => Some(Lapse::Denied(denied)),
            Ok(now) => {
                let mut lost = needed.iter().filter(|right| !now.sites(**right).cover(&held.sites(**right)));
                lost.next().copied().map(Lapse::Right)
            }
        }
    }
}

/// Waits until a time of day; for ever without one.
async fn until(time: Option<DateTime<Utc>>) {
    match time {
        Some(time) => tokio::time::sleep((time - clock::now()).to_std().unwrap_or_default()).await,
        None => std::future::pending().await,
    }
}
