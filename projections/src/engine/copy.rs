//! Rows into a table by COPY, the fastest way in that Postgres has.
//!
//! Rows come as JSON and leave in COPY's text format. What a column is decides how: `jsonb` takes the JSON as it is, an
//! array column a list in Postgres' notation, everything else the bare value.

use sqlx::PgConnection;

use super::lines::{Lines, fields};

/// How many bytes are sent at once.
const CHUNK: usize = 256 * 1024;

/// How a column takes its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Array,
    Json,
}

/// A table that rows are copied into.
pub(crate) struct Target {
    /// With its schema.
    name: String,
    columns: Vec<(String, Kind)>,
}

impl Target {
    /// The table `name` with its columns, as the catalogue has them.
    pub(crate) async fn of(name: String, connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let columns = sqlx::query!(
            r#"select a.attname as "name!", t.typcategory = 'A' as "array!", t.typname in ('json', 'jsonb') as "json!"
               from pg_attribute a join pg_type t on t.oid = a.atttypid
               where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped"#,
            name
        )
        .fetch_all(connection)
        .await?
        .into_iter()
        .map(|column| {
            let kind = if column.json {
                Kind::Json
            } else if column.array {
                Kind::Array
            } else {
                Kind::Plain
            };
            (column.name, kind)
        })
        .collect();
        Ok(Self { name, columns })
    }

    /// Adds rows that are not there yet.
    pub(crate) async fn copy(&self, rows: &Lines, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let Some(first) = rows.iter().next() else { return Ok(()) };
        let layout = self.layout(first)?;
        let columns: Vec<&str> = layout.iter().map(|(column, _)| *column).collect();
        let statement = format!("copy {} ({}) from stdin", self.name, columns.join(", "));
        let mut copy = connection.copy_in_raw(&statement).await?;
        let mut buffer = Vec::with_capacity(CHUNK + CHUNK / 4);
        let mut failed = None;
        for row in rows.iter() {
            if let Err(error) = encode(row, &layout, &mut buffer) {
                failed = Some(error);
                break;
            }
            if buffer.len() >= CHUNK {
                copy.send(buffer.as_slice()).await?;
                buffer.clear();
            }
        }
        if let Some(error) = failed {
            // The server forgets what it was sent; the connection can be used again.
            copy.abort("a row cannot be encoded").await?;
            return Err(error);
        }
        copy.send(buffer.as_slice()).await?;
        copy.finish().await.map(drop)
    }

    /// The columns in the order in which the rows have them.
    fn layout(&self, row: &[u8]) -> Result<Vec<(&str, Kind)>, sqlx::Error> {
        let column = |(name, _): (&[u8], &[u8])| {
            let found = self.columns.iter().find(|(column, _)| column.as_bytes() == name);
            let missing = || misfit(format!("{} has no column {}", self.name, String::from_utf8_lossy(name)));
            found.map(|(column, kind)| (column.as_str(), *kind)).ok_or_else(missing)
        };
        fields(row).map(column).collect()
    }
}

fn misfit(reason: String) -> sqlx::Error {
    sqlx::Error::Encode(reason.into())
}

/// One line of COPY's text format.
fn encode(row: &[u8], layout: &[(&str, Kind)], buffer: &mut Vec<u8>) -> Result<(), sqlx::Error> {
    let mut columns = layout.iter();
    for (name, value) in fields(row) {
        let Some((_, kind)) = columns.next().filter(|(column, _)| column.as_bytes() == name) else {
            return Err(misfit("the rows of a table differ in their fields".to_owned()));
        };
        match (value, kind) {
            (b"null", _) => buffer.extend_from_slice(b"\\N"),
            (_, Kind::Json) => escape(value, buffer),
            (_, Kind::Array) => array(value, buffer)?,
            (_, Kind::Plain) => plain(value, buffer)?,
        }
        buffer.push(b'\t');
    }
    if columns.next().is_some() {
        return Err(misfit("the rows of a table differ in their fields".to_owned()));
    }
    // In place of the last tab.
    buffer.pop();
    buffer.push(b'\n');
    Ok(())
}

fn plain(value: &[u8], buffer: &mut Vec<u8>) -> Result<(), sqlx::Error> {
    match value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")) {
        Some(text) if text.contains(&b'\\') => {
            let text: String = serde_json::from_slice(value).map_err(|error| sqlx::Error::Encode(error.into()))?;
            escape(text.as_bytes(), buffer);
        }
        Some(text) => buffer.extend_from_slice(text),
        None => buffer.extend_from_slice(value),
    }
    Ok(())
}

fn array(value: &[u8], buffer: &mut Vec<u8>) -> Result<(), sqlx::Error> {
    if let Some(inside) = value.strip_prefix(b"[").and_then(|value| value.strip_suffix(b"]"))
        && !value.contains(&b'\\')
    {
        // Quoted strings, numbers and null look the same in both.
        buffer.push(b'{');
        buffer.extend_from_slice(inside);
        buffer.push(b'}');
        return Ok(());
    }
    let elements: Result<Vec<Option<serde_json::Value>>, _> = serde_json::from_slice(value);
    let elements = elements.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let mut literal = String::from("{");
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            literal.push(',');
        }
        match element {
            Some(serde_json::Value::String(text)) => {
                literal.push('"');
                literal.push_str(&text.replace('\\', "\\\\").replace('"', "\\\""));
                literal.push('"');
            }
            Some(other) => literal.push_str(&other.to_string()),
            None => literal.push_str("null"),
        }
    }
    literal.push('}');
    escape(literal.as_bytes(), buffer);
    Ok(())
}

/// As COPY wants backslashes and what ends fields and rows.
fn escape(text: &[u8], buffer: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'\\' => buffer.extend_from_slice(b"\\\\"),
            b'\n' => buffer.extend_from_slice(b"\\n"),
            b'\r' => buffer.extend_from_slice(b"\\r"),
            b'\t' => buffer.extend_from_slice(b"\\t"),
            byte => buffer.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sqlx::Executor;
    use vigie_eventlog::testing;

    use super::{Lines, Target};

    #[tokio::test]
    async fn copied_rows_are_those_that_postgres_makes_of_the_json() {
        let pool = testing::database().await;
        let mut connection = pool.acquire().await.unwrap();
        for table in ["copied", "populated"] {
            let sql = format!(
                "create temp table {table} (n integer, t text, b boolean, f float8, at timestamptz, j jsonb, a text[], u uuid[])"
            );
            connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        }
        let mut rows = Lines::default();
        let awkward = "tab\t line\n return\r quote\" back\\slash \\N {brace}, comma é";
        for (n, text) in ["", "plain", awkward, "\\", "null"].iter().enumerate() {
            rows.push(&json!({
                "n": n, "t": text, "b": n % 2 == 0, "f": 0.1 + n as f64, "at": "2026-01-01T12:00:00.123456Z",
                "j": { "text": text, "list": [text, 1, null, { "deep": text }] }, "a": [text, "two", "a b"], "u": [],
            }));
        }
        rows.push(&json!({
            "n": null, "t": null, "b": null, "f": 1e300, "at": null, "j": null, "a": null,
            "u": ["00000000-0000-0000-0000-000000000001"]
        }));
        Target::of("copied".to_owned(), &mut connection).await.unwrap().copy(&rows, &mut connection).await.unwrap();
        sqlx::query("insert into populated select * from jsonb_populate_recordset(null::populated, $1::text::jsonb)")
            .bind(rows.array())
            .execute(&mut *connection)
            .await
            .unwrap();
        let differing: i64 = sqlx::query_scalar(
            "select count(*) from (table copied except all table populated union all (table populated except all table copied)) d",
        )
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        let copied: i64 = sqlx::query_scalar("select count(*) from copied").fetch_one(&mut *connection).await.unwrap();
        assert_eq!((differing, copied), (0, 6));
    }

    #[tokio::test]
    async fn rows_that_differ_in_their_fields_are_refused_and_the_connection_goes_on() {
        let pool = testing::database().await;
        let mut connection = pool.acquire().await.unwrap();
        connection.execute("create temp table copied (n integer, t text)").await.unwrap();
        let target = Target::of("copied".to_owned(), &mut connection).await.unwrap();
        for second in [json!({ "n": 2 }), json!({ "n": 2, "u": "x" }), json!({ "n": 2, "t": "x", "u": 1 })] {
            let mut rows = Lines::default();
            rows.push(&json!({ "n": 1, "t": "x" }));
            rows.push(&second);
            target.copy(&rows, &mut connection).await.unwrap_err();
        }
        let count: i64 = sqlx::query_scalar("select count(*) from copied").fetch_one(&mut *connection).await.unwrap();
        assert_eq!(count, 0);
    }
}
