//! What people ask to be sent again, or let go.

use std::sync::Arc;

use sqlx::PgPool;
use vigie_eventlog::Read;

use super::super::changes::{ReplayRow, Tried};
use super::super::track::Track;
use super::super::waiting::{self, PIECE};
use super::{Delivery, Ended, GATHER, WINDOW, database};

/// One order of somebody, under way.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) id: i64,
    what: What,
    after: i64,
    until: i64,
    pub(super) track: Track,
    /// Everything up to here was taken.
    cursor: i64,
    sent: i64,
    /// Whether it has to look again later.
    pub(super) waits: bool,
    /// The end was told to the recorder.
    told: bool,
    why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Everything,
    Failed,
    Skip,
}

impl Replay {
    fn is_over(&self) -> bool {
        self.cursor >= self.until && self.track.is_settled()
    }

    /// As it is to be written down.
    pub(super) fn row(&mut self) -> Option<ReplayRow> {
        if self.told {
            return None;
        }
        self.told = self.is_over();
        let (id, position, ahead) = (self.id, self.track.position(), self.track.ahead());
        Some(ReplayRow { id, position, ahead, sent: std::mem::take(&mut self.sent), over: self.told })
    }
}

/// The first order for an endpoint that is not over.
async fn first(endpoint: uuid::Uuid, pool: &PgPool) -> Result<Option<Replay>, sqlx::Error> {
    let row = sqlx::query!(
        "select id, what, after, until, position, ahead, asked_by, reason from webhook_replay
         where endpoint = $1 and state in ('asked', 'running') order by id limit 1",
        endpoint
    );
    Ok(row.fetch_optional(pool).await?.map(|row| Replay {
        id: row.id,
        what: match row.what.as_str() {
            "everything" => What::Everything,
            "failed" => What::Failed,
            _ => What::Skip,
        },
        after: row.after,
        until: row.until,
        track: Track::new(row.position, &row.ahead),
        cursor: row.position,
        sent: 0,
        waits: false,
        told: false,
        why: format!("let go by {}: {}", row.asked_by, row.reason),
    }))
}

impl Delivery {
    /// Looks for what was asked for, and whether what is under way was cancelled.
    pub(super) async fn look_for_replays(&mut self) -> Result<(), Ended> {
        let first = first(self.endpoint.id, &self.shared.pool).await.map_err(database)?;
        match (&self.replay, first) {
            (Some(active), Some(first)) if active.id == first.id => {}
            (Some(active), _) if active.told => {}
            (_, first) => {
                match &first {
                    Some(new) if new.what == What::Failed => self.hurry(new.after, new.until).await?,
                    Some(new) if new.what == What::Everything => self.breaker.hurry(self.now()),
                    Some(_) | None => {}
                }
                // What is in lanes already goes its way.
                self.replay = first;
            }
        }
        Ok(())
    }

    /// What waits for its next try in that range is tried now, also where the breaker is open.
    async fn hurry(&mut self, after: i64, until: i64) -> Result<(), Ended> {
        let now = self.now();
        self.breaker.hurry(now);
        sqlx::query!(
            "update webhook_waiting w set next_try = $4
             where w.endpoint = $1 and w.position > $2 and w.position <= $3 and w.state = 'waiting' and w.next_try > $4
               and exists (select from webhook_state s where s.endpoint = $1 and s.owner = $5 and s.epoch = $6 for share)",
            self.endpoint.id,
            after,
            until,
            now,
            self.shared.worker,
            self.state.epoch
        )
        .execute(&self.shared.pool)
        .await
        .map_err(database)?;
        self.due.also(now);
        Ok(())
    }

    /// Takes the next piece in, if there is room.
    pub(super) async fn read_replay(&mut self) -> Result<(), Ended> {
        let Some(replay) = &self.replay else { return Ok(()) };
        if !self.has_room() || replay.waits || replay.cursor >= replay.until || replay.track.len() >= WINDOW / 2 {
            return Ok(());
        }
        match replay.what {
            What::Everything => self.read_events().await?,
            What::Failed => self.read_letters().await?,
            What::Skip => self.skip().await?,
        }
        self.hand_within(GATHER);
        Ok(())
    }

    async fn read_events(&mut self) -> Result<(), Ended> {
        let Some(replay) = &self.replay else { return Ok(()) };
        let (id, read) = (replay.id, Read::after(replay.cursor).until(replay.until).limit(128));
        let events = self.shared.log.read(&self.endpoint.filter.query(), read).await;
        let events = events.map_err(|error| Ended::Failed(error.to_string()))?;
        let next = match events.last() {
            Some(last) if events.len() == 128 => last.position,
            _ => read.until,
        };
        let before = self.seq;
        self.enter(events.into_iter().map(Arc::new).collect(), id).await?;
        let entered = self.seq - before;
        self.moved(next, entered);
        Ok(())
    }

    async fn read_letters(&mut self) -> Result<(), Ended> {
        let Some(replay) = &self.replay else { return Ok(()) };
        let (id, cursor, until) = (replay.id, replay.cursor, replay.until);
        let letters =
            waiting::letters(self.endpoint.id, cursor, until, PIECE, &self.shared.pool).await.map_err(database)?;
        let full = i64::try_from(letters.len()).is_ok_and(|read| read >= PIECE);
        let next = letters.last().filter(|_| full).map_or(until, |last| last.position);
        let events = self.events(&letters).await?;
        let mut items = Vec::new();
        for letter in letters {
            let Some(event) = events.get(&letter.position).map(Arc::clone) else { continue };
            if self.track(id).is_some_and(|track| track.take(letter.position, event.recorded_at)) {
                items.push(self.item(event, id, Some(letter.seq)));
            }
        }
        let entered = i64::try_from(items.len()).unwrap_or(0);
        self.enter_items(items).await?;
        self.moved(next, entered);
        Ok(())
    }

    fn moved(&mut self, cursor: i64, entered: i64) {
        if let Some(replay) = &mut self.replay {
            replay.cursor = cursor;
            replay.sent += entered;
            replay.track.look(cursor);
        }
    }

    /// Lets go what waits in the range: it is set aside, and what is behind it goes on.
    async fn skip(&mut self) -> Result<(), Ended> {
        let Some(replay) = &self.replay else { return Ok(()) };
        let (until, why) = (replay.until, replay.why.clone());
        let rows = sqlx::query!(
            "select seq, lane, attempts from webhook_waiting
             where endpoint = $1 and position > $2 and position <= $3 and state = 'waiting' order by seq limit 1000",
            self.endpoint.id,
            replay.after,
            until
        );
        let rows = rows.fetch_all(&self.shared.pool).await.map_err(database)?;
        let (now, recorded) = (self.now(), self.known());
        let (mut left, mut let_go) = (rows.is_empty(), 0);
        for row in rows {
            let lane = self.lanes.get(row.lane);
            // What is on its way is waited for; what is not recorded yet may be another by now.
            let busy = lane.is_some_and(|lane| lane.in_flight > 0 || !lane.queue.is_empty() || lane.dirty > recorded);
            if busy || self.lanes.has_left(row.lane) {
                continue;
            }
            if lane.is_none() {
                let keys = waiting::keys(self.endpoint.id, row.lane, &self.shared.pool).await.map_err(database)?;
                self.lanes.know(row.lane, keys.into_iter().map(String::into_boxed_str));
            }
            let (endpoint, seq, attempts) = (self.endpoint.id, row.seq, u32::try_from(row.attempts).unwrap_or(0));
            self.changes.tried.push(Tried {
                endpoint,
                seq,
                attempts,
                next_try: None,
                reason: why.clone(),
                failed_at: now,
            });
            self.mark(row.lane);
            self.to_load.push(row.lane);
            let_go += 1;
        }
        left &= let_go == 0;
        if left {
            self.moved(until, 0);
        } else if let Some(replay) = &mut self.replay {
            replay.sent += let_go;
            replay.waits = true;
        }
        Ok(())
    }

    /// What is over makes room for the next.
    pub(super) fn replay_recorded(&mut self) {
        if self.replay.as_ref().is_some_and(|replay| replay.told) {
            self.replay = None;
        } else if self.replay.as_ref().is_some_and(Replay::is_over) {
            self.hand_within(GATHER);
        }
    }
}
