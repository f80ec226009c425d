//! The connections on which the log is read.
//!
//! They are apart from the program's others for their settings. A plan is made once and kept, perhaps while the log is
//! still short and reading all of it is the cheapest way; it must not be kept until somebody analyses a table that has
//! grown by millions since. So the plans that read a whole table are not offered here: every read is a piece of an index.

use std::time::Duration;

use sqlx::{Connection, PgPool};

/// After so long unused a connection is tried before it is trusted; one that was just used needs no round trip for that.
const TRUSTED: Duration = Duration::from_secs(1);
/// Sorts, hashes and scans of whole tables; and compiling a plan because the ways that are left look expensive.
const NOT_OFFERED: [&str; 5] = ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit"];

/// As many connections as `pool` may have, to the same database; none is opened before it is needed.
pub(crate) fn pool(pool: &PgPool) -> PgPool {
    let options = pool.connect_options().as_ref().clone().options(NOT_OFFERED.map(|name| (name, "off")));
    let tried = pool.options().clone().min_connections(0).test_before_acquire(false);
    let tried = tried.before_acquire(|connection, used| {
        Box::pin(async move { Ok(used.idle_for < TRUSTED || connection.ping().await.is_ok()) })
    });
    tried.connect_lazy_with(options)
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::PgPoolOptions;
    use sqlx::{AssertSqlSafe, Executor};

    use crate::read::page;
    use crate::{Direction, Query, Read, testing};

    #[tokio::test]
    async fn no_plan_that_is_kept_from_a_short_log_reads_a_whole_table() {
        let pool = PgPoolOptions::new().max_connections(1).connect_with(testing::options().await).await.unwrap();
        pool.execute("analyze").await.unwrap();
        let reading = super::pool(&pool);
        for direction in [Direction::Forwards, Direction::Backwards] {
            for query in [Query::all(), Query::tag("thing:1")] {
                page(&reading, &query, Read { direction, ..Read::after(0) }).await.unwrap();
            }
        }
        let mut connection = reading.acquire().await.unwrap();
        connection.execute("set plan_cache_mode = force_generic_plan").await.unwrap();
        let kept: Vec<(String, i32)> = sqlx::query_as(
            "select name, cardinality(parameter_types) from pg_prepared_statements
             where cardinality(parameter_types) > 0 and statement not like '%log_require%'",
        )
        .fetch_all(&mut *connection)
        .await
        .unwrap();
        assert_eq!(kept.len(), 4, "{kept:?}");
        for (name, parameters) in kept {
            let given = if parameters == 3 { "0, 10, 10" } else { "0, 10, 10, '{}', '{}'" };
            let explain = AssertSqlSafe(format!("explain execute {name}({given})"));
            let plan: Vec<String> = sqlx::query_scalar(explain).fetch_all(&mut *connection).await.unwrap();
            let plan = plan.join("\n");
            assert!(plan.contains("Index Scan") && !plan.contains("Seq Scan"), "{plan}");
            assert!(!plan.contains("Hash Join") && !plan.contains("Merge Join"), "{plan}");
        }
    }
}
