//! What is in the log, read ahead of whoever takes it.
//!
//! A task reads page after page on a connection of the pool and hands the events on in pieces, so that the server, the
//! network and whoever uses the events work at the same time. Before it asks for a page it waits until there is room
//! for all of it: memory stays flat, and a slow taker holds neither a connection nor a snapshot of the database.

use futures_util::TryStreamExt;
use sqlx::PgPool;
use tokio::sync::mpsc::{self, PermitIterator, Receiver, Sender};

use crate::ranges::require;
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
                let _ = sender.send(Err(error)).await;
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
) -> Result<Option<i64>, LogError> {
    let Ok(mut room) = sender.reserve_many(PAGE_PIECES).await else { return Ok(None) };
    let limit = PIECE * PAGE_PIECES;
    let read = Read::after(after).until(until).limit(u32::try_from(limit).unwrap_or(u32::MAX));
    let (mut count, mut last) = (0, after);
    let mut rows = rows(pool, query, read);
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        while piece.len() < PIECE
            && let Some(row) = rows.try_next().await.map_err(|error| LogError::database("read events", error))?
        {
            piece.push(Recorded::from(row));
        }
        let (full, whole) = (piece.len() == PIECE, !lacks(query, last, until, &piece));
        if !whole {
            // The connection goes back first: there may be one only.
            drop(rows);
            require(pool, last, piece.last().map_or(until, |event| event.position)).await?;
            return Ok(hand_on(piece, &mut room));
        }
        count += piece.len();
        last = hand_on(piece, &mut room).unwrap_or(last);
        if !full || count == limit || sender.is_closed() {
            return Ok((count == limit && !sender.is_closed()).then_some(last));
        }
    }
}

/// Its last position; none of an empty one.
fn hand_on(piece: Vec<Recorded>, room: &mut PermitIterator<'_, Result<Vec<Recorded>, LogError>>) -> Option<i64> {
    let last = piece.last()?.position;
    room.next().expect("there is room for a page").send(Ok(piece));
    Some(last)
}

/// Whether something between `after` and the end of the piece is not there: positions have no gaps, so that can only be
/// archived. By tag or type, the log itself looks for that.
fn lacks(query: &Query, after: i64, until: i64, piece: &[Recorded]) -> bool {
    match piece.last() {
        _ if !query.is_all() => false,
        Some(last) => usize::try_from(last.position - after.max(0)) != Ok(piece.len()),
        None => after < until && until < i64::MAX,
    }
}
