//! Sign-in through another system: OpenID Connect, authorisation code with PKCE.
//!
//! The provider says who somebody is; this side believes nothing that is not signed with one of its keys, made for this
//! server, fresh, and the answer to a question that the same browser has asked. What follows for accounts is not decided
//! here. OpenID Connect Core 1.0, Discovery 1.0, Back-Channel Logout 1.0; RFC 7636 (PKCE), RFC 9207 (issuer in answers).

mod attempt;
mod groups;
mod provider;
mod token;

pub(crate) use attempt::Attempt;
pub(crate) use groups::{Roles, text_at};
pub(crate) use provider::{Oidc, OidcError};
pub(crate) use token::{LoggedOut, SignedIn};
