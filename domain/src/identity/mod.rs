//! People, programs and their rights: who there is, who holds which role where, who signed in.
//!
//! Nothing personal is a fact: events name people by opaque ids. Names, addresses and passwords are kept beside the log,
//! where they can be erased.

mod create_user;
mod deactivate_user;
mod end_session;
mod erase_user;
mod events;
mod grant_role;
mod ids;
mod issue_key;
mod issue_link;
mod of_user;
mod reactivate_user;
mod refusal;
mod revoke_key;
mod revoke_role;
mod role;
mod set_password;
mod sign_in;
mod sign_out;
mod state;
#[cfg(test)]
mod testing;

pub use create_user::CreateUser;
pub use deactivate_user::DeactivateUser;
pub use end_session::EndSession;
pub use erase_user::EraseUser;
pub use events::{
    EndReason, IdentityEvent, KeyIssued, KeyRevoked, LinkIssued, PasswordSet, RoleGranted, RoleRevoked, SessionEnded,
    SignInMethod, SignedIn, SignedOut, UserCreated, UserDeactivated, UserErased, UserReactivated, names,
};
pub use grant_role::GrantRole;
pub use ids::{Holder, KeyId, SessionId, UserId};
pub use issue_key::{IssueKey, LONGEST_KEY_DAYS};
pub use issue_link::IssueLink;
pub use reactivate_user::ReactivateUser;
pub use refusal::IdentityRefusal;
pub use revoke_key::RevokeKey;
pub use revoke_role::RevokeRole;
pub use role::{Grant, Role};
pub use set_password::SetPassword;
pub use sign_in::SignIn;
pub use sign_out::SignOut;
pub use state::{Administrators, Grants, Installation, Key, Session, User};
