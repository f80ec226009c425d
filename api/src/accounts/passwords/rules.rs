//! Which passwords may be chosen.

use std::collections::HashSet;

/// Fewer different characters than this are guessed whatever the length.
const DIFFERENT: usize = 5;

/// Why a password may not be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// Too short.
    #[error("a password has at least {least} characters")]
    Short {
        /// The least.
        least: usize,
    },
    /// Too long.
    #[error("a password has at most {most} characters")]
    Long {
        /// The most.
        most: usize,
    },
    /// Too few different characters.
    #[error("a password has at least {DIFFERENT} different characters")]
    Plain,
    /// It holds the username.
    #[error("a password does not hold the username")]
    Username,
    /// Others have lost it.
    #[error("this password is on a list of those that attackers try first")]
    Breached,
}

/// Checks what follows from the password itself: no rule asks for kinds of characters.
pub(super) fn check(password: &str, username: &str, least: usize, most: usize) -> Result<(), Unfit> {
    let length = password.chars().count();
    let lower = password.to_lowercase();
    if length < least {
        Err(Unfit::Short { least })
    } else if length > most {
        Err(Unfit::Long { most })
    } else if lower.chars().collect::<HashSet<_>>().len() < DIFFERENT {
        Err(Unfit::Plain)
    } else if username.chars().count() >= 4 && lower.contains(&username.to_lowercase()) {
        Err(Unfit::Username)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_enough_varied_and_not_the_username() {
        let check = |password: &str| check(password, "Operator", 12, 128);
        assert_eq!(check("stands and trains"), Ok(()));
        assert_eq!(check("éàü stands 12"), Ok(()));
        assert_eq!(check("elevenchars"), Err(Unfit::Short { least: 12 }));
        assert_eq!(check(&"abcdefgh".repeat(17)), Err(Unfit::Long { most: 128 }));
        assert_eq!(check("abababababab"), Err(Unfit::Plain));
        assert_eq!(check("my-oPerator-password"), Err(Unfit::Username));
    }
}
