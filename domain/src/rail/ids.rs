//! The id of a pass.

use crate::kernel::{IdError, Tag, text_id};
use crate::support::SiteId;

text_id!(
    /// A train pass: its site and the id that the camera system gave it, such as `SANGATTE/20260115-0412`.
    PassId,
    "pass id",
    "a site id, a slash and up to 64 letters, digits, dots, hyphens or underscores, such as SITE/20260115-0412",
    |text| text.split_once('/').is_some_and(|(site, id)| {
        SiteId::new(site).is_ok()
            && (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    })
);

impl PassId {
    /// The pass that the camera system at `site` calls `id`.
    ///
    /// # Errors
    /// `id` is empty, too long or has other characters.
    pub fn at(site: &SiteId, id: &str) -> Result<Self, IdError> {
        Self::new(&format!("{site}/{id}"))
    }

    /// The site.
    #[must_use]
    pub fn site(&self) -> SiteId {
        let (site, _) = self.as_str().split_once('/').expect("a pass id is checked when it is made");
        SiteId::new(site).expect("a pass id is checked when it is made")
    }

    /// The tag of facts about this pass.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::new("pass", self)
    }
}
