//! The tokens of a document, counted before it is parsed.
//!
//! The parser descends as deep as the brackets nest, on a stack that ends; so nobody parses a text whose nesting was not
//! looked at. What is text inside quotes and what is not is decided exactly as the parser does it, and where a text is
//! malformed, on the side of seeing more brackets.

/// What a text holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Tokens: names, numbers, texts and punctuation, without commas and comments.
    pub(super) tokens: u64,
    /// The most brackets, of any kind, that are open at once.
    pub(super) nesting: u64,
}

/// Counts.
pub(super) fn count(text: &str) -> Counted {
    let bytes = text.as_bytes();
    let (mut counted, mut open, mut at) = (Counted::default(), 0_u64, 0);
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let length = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
                continue;
            }
            b'{' | b'[' | b'(' => {
                open += 1;
                counted.nesting = counted.nesting.max(open);
                1
            }
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                1
            }
            b'"' => quoted(rest),
            b'.' if rest.starts_with(b"...") => 3,
            b'-' | b'0'..=b'9' => run(rest, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-')),
            byte if is_name(byte) => run(rest, is_name),
            _ => 1,
        };
        counted.tokens += 1;
        at += length;
    }
    counted
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes belong together, at least the first.
fn run(rest: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    1 + rest[1..].iter().take_while(|byte| belongs(**byte)).count()
}

/// The length of a text in quotes. A block that does not end is an empty text and what follows it, as to the parser; a
/// text that does not end on its line ends there.
fn quoted(rest: &[u8]) -> usize {
    if let Some(block) = rest.strip_prefix(b"\"\"\"")
        && let Some(length) = block_length(block)
    {
        return 3 + length;
    }
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a block's content with the quotes that end it.
fn block_length(block: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < block.len() {
        match &block[at..] {
            [b'\\', b'"', b'"', b'"', ..] => at += 4,
            [b'"', b'"', b'"', ..] => return Some(at + 3),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> (u64, u64) {
        let Counted { tokens, nesting } = count(text);
        (tokens, nesting)
    }

    #[test]
    fn tokens_are_those_of_the_specification() {
        assert_eq!(of(""), (0, 0));
        assert_eq!(of("{ a }"), (3, 1));
        assert_eq!(of("query q($a: [Int!]! = [1, -2.5e3]) { b(c: $a) ...F @d }"), (30, 2));
        assert_eq!(of("{ a, b,, c # } } }\n }"), (5, 1));
        assert_eq!(of(r#"{ a(b: "{{{\"{{{") }"#), (8, 2));
        assert_eq!(of(r#"{ a(b: """ {{{ \""" " "" {{{ """) }"#), (8, 2));
        assert_eq!(of(r#"{ a(b: """""") }"#), (8, 2));
    }

    #[test]
    fn no_quote_hides_a_bracket_from_the_count_that_the_parser_sees() {
        // A block that never ends is an empty text to the parser, which goes on behind it.
        assert_eq!(count(r#"{ a(b: ["""x" {c: {d: {e: 1}}}]) }"#).nesting, 6);
        assert!(parse_query(r#"{ a(b: ["""x" {c: {d: {e: 1}}}]) }"#).is_ok());
        // A text ends with its line.
        assert_eq!(count("{ a(b: \"\n[[[[ ) }").nesting, 6);
        assert_eq!(count("{ a(b: \"\\").nesting, 2);
    }

    proptest! {
        /// Whatever parses has its brackets counted: the nesting of a list in an argument, with texts around it.
        #[test]
        fn what_parses_nests_as_deep_as_was_counted(
            depth in 1_u64..20,
            texts in proptest::collection::vec("\"[a\\[{ #]{0,6}\"|\"\"\"[a\\[{\n #]{0,6}\"\"\"|\"\"\"\"\"\"|\"\"", 0..4),
        ) {
            let inner = texts.join(" ");
            let (left, right) = ("[".repeat(depth as usize), "]".repeat(depth as usize));
            let text = format!("{{ a(b: {left}{inner}{right}) }}");
            prop_assume!(parse_query(&text).is_ok());
            prop_assert_eq!(count(&text).nesting, depth + 2);
            prop_assert_eq!(count(&text).tokens, 7 + 2 * depth + texts.len() as u64);
        }
    }
}
