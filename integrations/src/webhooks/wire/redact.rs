//! What a receiver answers may repeat what it was sent: secrets are blotted out before it is kept.

/// What stands in their place.
pub(super) const BLOT: &str = "[secret]";
/// A text shorter than this is not looked for: it would be found everywhere.
const SHORTEST: usize = 4;

/// The secrets of one request.
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// These texts, and what follows a scheme such as `Bearer` in them.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let with_parts = texts.flat_map(|text| [Some(text), text.split_once(' ').map(|(_, rest)| rest)]).flatten();
        let mut all: Vec<_> = with_parts.filter(|text| text.len() >= SHORTEST).map(str::to_owned).collect();
        // The longest first, so that none is left half.
        all.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self(all)
    }

    /// The text without them; `cut` says that its end is missing, and with it perhaps the end of a secret.
    pub(super) fn blot(&self, mut text: String, cut: bool) -> String {
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), BLOT);
            }
        }
        if cut {
            let ends = self.0.iter().filter_map(|secret| begun(&text, secret)).max();
            text.truncate(text.len() - ends.unwrap_or(0));
        }
        text
    }
}

/// How many bytes at the end of a text are the beginning of a secret.
fn begun(text: &str, secret: &str) -> Option<usize> {
    let lengths = (SHORTEST..secret.len()).rev().filter(|length| secret.is_char_boundary(*length));
    lengths.into_iter().find(|length| text.ends_with(&secret[..*length]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_blotted_out_wherever_they_stand() {
        let secrets = Secrets::new(["Bearer abcdef", "token=xyz", "1"].into_iter());
        let blot = |text: &str, cut| secrets.blot(text.to_owned(), cut);
        assert_eq!(blot("1 Bearer abcdef, abcdef; token=xyz!", false), "1 [secret], [secret]; [secret]!");
        assert_eq!(blot("a token=", false), "a token=");
        assert_eq!(blot("a token=", true), "a ");
        assert_eq!(blot("Bearer abcde", true), "");
        assert_eq!(blot("nothing", true), "nothing");
    }
}
