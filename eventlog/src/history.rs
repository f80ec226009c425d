//! What is in the log, read ahead of whoever takes it.
//!
//! A task reads page after page on a connection of the pool and hands the events on in pieces, so that the server, the
//! network and whoever uses the events work at the same time. Before it asks for a page it waits until there is room
//! for all of it: memory stays flat, and a slow taker holds neither a connection nor a snapshot of the database.

use futures_util::TryStreamExt;
use sqlx::PgPool;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::read::rows;
use crate::{LogError, Query, Read, Recorded};

/// Events in a piece: few enough to stay in the processor's cache until they are used.
const PIECE: usize = 256;
/// Pieces in a page: many enough that the way to the server and back does not count.
const PAGE_PIECES: usize = 16;
/// Pieces that may wait: the page that is read, and the one that is taken.
const WAITING: usize = 2 * PAGE_PIECES;

/// Matching events in order, read ahead. Ends after the last that there is when it gets there.
pub struct History {
    pieces: Receiver<Result<Vec<Recorded>, LogError>>,
}

impl History {
    /// Events in `(after, until]`.
    pub(crate) fn new(pool: PgPool, query: Query, after: i64, until: i64) -> Self {
        let (sender, pieces) = mpsc::channel(WAITING);
        tokio::spawn(read_ahead(pool, query, after, until, sender));
        Self { pieces }
    }

    /// The next events, never none; `None` at the end. Safe to cancel.
    ///
    /// # Errors
    /// The database failed; nothing comes after that.
    pub async fn next(&mut self) -> Result<Option<Vec<Recorded>>, LogError> {
        self.pieces.recv().await.transpose()
    }
}

async fn read_ahead(
    pool: PgPool,
    query: Query,
    mut after: i64,
    until: i64,
    sender: Sender<Result<Vec<Recorded>, LogError>>,
) {
    loop {
        match page(&pool, &query, after, until, &sender).await {
            Ok(Some(last)) => after = last,
            Ok(None) => return,
            Err(error) => {
                // Whoever took the events may have gone.
                let _ = sender.send(Err(LogError::database("read events", error))).await;
                return;
            }
        }
    }
}

/// Reads a page and hands it on; the last position if there may be more, and somebody to take it.
async fn page(
    pool: &PgPool,
    query: &Query,
    after: i64,
    until: i64,
    sender: &Sender<Result<Vec<Recorded>, LogError>>,
) -> Result<Option<i64>, sqlx::Error> {
    let Ok(mut room) = sender.reserve_many(PAGE_PIECES).await else { return Ok(None) };
    let limit = PIECE * PAGE_PIECES;
    let read = Read::after(after).until(until).limit(u32::try_from(limit).unwrap_or(u32::MAX));
    let (mut count, mut last) = (0, after);
    let mut piece = Vec::with_capacity(PIECE);
    let mut rows = rows(pool, query, read);
    while let Some(row) = rows.try_next().await? {
        piece.push(Recorded::from(row));
        if piece.len() == PIECE {
            (count, last) = (count + PIECE, piece.last().map_or(last, |event| event.position));
            let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE));
            room.next().expect("there is room for a page").send(Ok(full));
        }
        if sender.is_closed() {
            return Ok(None);
        }
    }
    if !piece.is_empty() {
        room.next().expect("there is room for a page").send(Ok(piece));
    }
    Ok((count == limit).then_some(last))
}
