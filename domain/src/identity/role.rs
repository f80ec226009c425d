//! The roles that people and keys can hold, everywhere or at one site.

use std::fmt::{self, Display};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{IdError, Tag};
use crate::support::SiteId;

/// What somebody is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Watches.
    Viewer,
    /// Runs the site: allocates, acknowledges, confirms.
    Operator,
    /// Runs the site, and takes back what others did.
    Supervisor,
    /// Reads everything that was ever done.
    Auditor,
    /// Reads, replays and rebuilds.
    Analyst,
    /// Reports what other systems say.
    Integrator,
    /// Sets up sites, people and keys.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] =
        [Self::Viewer, Self::Operator, Self::Supervisor, Self::Auditor, Self::Analyst, Self::Integrator, Self::Admin];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Supervisor => "supervisor",
            Self::Auditor => "auditor",
            Self::Analyst => "analyst",
            Self::Integrator => "integrator",
            Self::Admin => "admin",
        }
    }

    /// The tag of facts about who holds it.
    #[must_use]
    pub fn tag(self) -> Tag {
        Tag::new("role", self)
    }
}

impl Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let rule = "viewer, operator, supervisor, auditor, analyst, integrator or admin";
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| IdError::new("role", text, rule))
    }
}

/// A role, and where it is held; as text `operator@LFW`, or `admin` for everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Where; none is everywhere.
    pub site: Option<SiteId>,
}

impl Grant {
    /// A role at every site, also at those that are set up later.
    #[must_use]
    pub fn everywhere(role: Role) -> Self {
        Self { role, site: None }
    }

    /// A role at one site.
    #[must_use]
    pub fn at(role: Role, site: SiteId) -> Self {
        Self { role, site: Some(site) }
    }
}

impl Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.site {
            Some(site) => write!(f, "{}@{site}", self.role),
            None => self.role.fmt(f),
        }
    }
}

impl FromStr for Grant {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once('@') {
            Some((role, site)) => Ok(Self::at(role.parse()?, SiteId::new(site)?)),
            None => text.parse().map(Self::everywhere),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_back_from_its_text_and_stored_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert!("Admin".parse::<Role>().is_err());
    }

    #[test]
    fn a_grant_is_read_back_from_its_text() {
        for text in ["admin", "operator@LFW", "viewer@SANGATTE"] {
            assert_eq!(text.parse::<Grant>().unwrap().to_string(), text);
        }
        for text in ["", "operator@", "operator@lfw", "@LFW", "root"] {
            assert!(text.parse::<Grant>().is_err(), "{text:?}");
        }
    }
}
