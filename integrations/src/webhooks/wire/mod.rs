//! What goes over the wire: one signed HTTP request per attempt, as Standard Webhooks says
//! (<https://www.standardwebhooks.com>, specification 1.0.0).
//!
//! What must stay true:
//! - a request reaches only addresses that the [`AddressRules`] admit; the addresses that were checked are those that are
//!   connected to, and nobody is asked twice;
//! - redirects are not followed, proxies of the environment are not used, cookies are not kept, nothing is unpacked;
//! - nothing takes longer than the deadline of its request, and of an answer [`LARGEST_ANSWER`] bytes are read;
//! - secrets are in no text that comes back from here.

mod address;
mod attempt;
mod body;
mod classify;
mod headers;
mod redact;
mod resolver;
mod secret;
mod sender;
mod target;
mod vault;

#[cfg(test)]
mod tests;

pub use address::{AddressRules, RefusedAddress};
pub use attempt::{Answer, Attempt, Failure, FailureKind, LARGEST_ANSWER, Verdict};
pub use body::{Body, BodyError, DATA_DOCUMENT, LARGEST_BODY, TEST_TYPE, data_url};
pub use headers::{CustomHeaders, HeaderError};
pub use secret::{Scheme, SecretError, SigningSecret};
pub use sender::{Request, Sender, SenderError, Settings};
pub use target::{Target, TargetError};
pub use vault::{Place, Vault, VaultError};
