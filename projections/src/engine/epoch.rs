//! Where former versions of rows are found again: by the stretch of the log that they lie in.
//!
//! The log is cut into stretches of 2⁷ positions, those are put together by eight to stretches of 2¹⁰, those again by
//! eight, and so on. A version belongs to the smallest stretch that holds all of its life, its epoch. So what held at a
//! position lies in as many epochs as there are sizes, one of each; and of the versions in one of them at least about one
//! in eight held then, since all of a size cross one of the seven seams between the smaller ones. An index that begins
//! with the epoch therefore leads past few versions that do not hold, wherever in the log the position is: without it,
//! whoever walks in an order of the rows passes every version that has ended before. This is the relational interval
//! tree of Kriegel, Pötke and Seidl (VLDB 2000) with eight branches instead of two, so that a query has few of them.

/// Bits of a position within a stretch of the smallest size.
const FIRST: u32 = 7;
/// How many bits the next size has more.
const STEP: u32 = 3;
/// How many sizes there are; the largest holds 2⁵² positions.
const SIZES: u32 = 16;

/// The epoch of a version that held from `position` to before `until`, which is larger. The numbers are in
/// the tables; they do not change.
pub(crate) fn epoch(position: i64, until: i64) -> i64 {
    let differing = i64::BITS - (position ^ (until - 1)).leading_zeros();
    numbered(position, differing.saturating_sub(FIRST).div_ceil(STEP).min(SIZES - 1))
}

fn numbered(position: i64, size: u32) -> i64 {
    (position >> (FIRST + STEP * size)) * i64::from(SIZES) + i64::from(size)
}

/// The epochs in which whatever held at `position` lies, one of each size, while no version held to beyond `head`.
#[must_use]
pub fn epochs(position: i64, head: i64) -> Vec<i64> {
    // A version of a larger size crosses a seam of the size below, which lies beyond the head.
    let reached = |size: &u32| *size == 0 || head >> (FIRST + STEP * (size - 1)) > 0;
    (0..SIZES).take_while(reached).map(|size| numbered(position, size)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vigie_eventlog::{MIGRATOR, testing};

    use super::*;

    #[test]
    fn the_numbers_stay_what_they_are() {
        let epochs =
            [(1, 2), (127, 128), (127, 129), (900, 1_024), (900, 1_025), (8_000_000, 8_000_001), (1, 9_000_000)];
        let numbers = epochs.map(|(position, until)| epoch(position, until));
        assert_eq!(numbers, [0, 0, 1, 112, 2, 1_000_000, 6]);
    }

    #[tokio::test]
    async fn versions_from_before_there_were_epochs_have_theirs() {
        let pool = testing::released(17).await;
        let lengths =
            (0..33).flat_map(|bits| [(1_i64 << bits) - 1, 1 << bits, (1 << bits) + 1]).filter(|length| *length > 0);
        let lives: Vec<(i64, i64)> =
            lengths.flat_map(|length| [1, 100, 5_000_000].map(|from| (from, from + length))).collect();
        let (from, until): (Vec<i64>, Vec<i64>) = lives.iter().copied().unzip();
        sqlx::query(
            "insert into read.turnaround_rules_history
             select 'LFW', n::text, 1, 1, 1, position, now(), until
             from unnest($1::bigint[], $2::bigint[]) with ordinality lives (position, until, n)",
        )
        .bind(from)
        .bind(until)
        .execute(&pool)
        .await
        .unwrap();
        MIGRATOR.run(&pool).await.unwrap();
        let kept = "select epoch from read.turnaround_rules_history order by aircraft_type::integer";
        let kept: Vec<i64> = sqlx::query_scalar(kept).fetch_all(&pool).await.unwrap();
        assert_eq!(kept, lives.iter().map(|(from, until)| epoch(*from, *until)).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn a_version_is_found_wherever_it_holds_and_once(
            position in 1_i64..1 << 40, length in prop_oneof![1_i64..2_000, 1_i64..1 << 40], at in 0.0..1.0
        ) {
            let until = position + length;
            let own = epoch(position, until);
            let inside = position + ((length - 1) as f64 * at) as i64;
            for within in [inside, position, until - 1] {
                let found = epochs(within, until).into_iter().filter(|epoch| *epoch == own).count();
                prop_assert_eq!(found, 1, "{} in {:?}", own, epochs(within, until));
            }
        }
    }
}
