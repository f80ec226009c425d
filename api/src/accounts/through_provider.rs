//! Signing in through another system, whose word counts for who somebody is, and for the roles that its groups give.

use vigie_commands::{Failure, reason};
use vigie_domain::identity::{EndReason, GrantRole, Holder, IdentityRefusal, RevokeRole, SignInMethod, UserId};
use vigie_domain::kernel::Decision;

use super::attempts::{self, Reason};
use super::parts::order_of_itself;
use super::people::{self, Details, PersonError};
use super::sessions::{self, Provider};
use super::{Accounts, Holds, NewUser, Opened, SignInError, UserError, Username};
use crate::clock;
use crate::limits::Address;
use crate::oidc::{self, LoggedOut, Oidc, OidcError, Roles, SignedIn, text_at};

/// How many names are tried for somebody whose name another one has.
const NAMES: usize = 20;

/// Why the other system's word brings nobody in, or out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThroughError {
    /// It did not give its word, or cannot be asked.
    #[error(transparent)]
    Provider(#[from] OidcError),
    /// Nobody here is meant, and it makes no accounts.
    #[error("somebody who has no account here")]
    Nobody,
    /// No account can be made.
    #[error("no account can be made")]
    Account(#[from] UserError),
    /// No session can be opened or ended.
    #[error(transparent)]
    Session(#[from] SignInError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Accounts {
    /// Signs in whoever comes back from the other system with a code.
    pub(crate) async fn sign_in_through(
        &self,
        oidc: &Oidc,
        attempt: &oidc::Attempt,
        code: &str,
        address: Address,
    ) -> Result<Opened, ThroughError> {
        const METHOD: SignInMethod = SignInMethod::Oidc;
        self.throttle("", None, METHOD, address).await?;
        let found = match oidc.finish(attempt, code).await {
            Ok((signed_in, roles)) => self.meant(oidc, &signed_in).await.map(|user| (user, signed_in, roles)),
            Err(error) => Err(error.into()),
        };
        let (user, signed_in, roles) = match found {
            Ok(found) => found,
            Err(error) => {
                attempts::keep(self.pool(), None, METHOD, Reason::Provider, address, clock::now()).await;
                return Err(error);
            }
        };
        self.follow_groups(user, &roles).await?;
        let provider =
            Provider { issuer: oidc.issuer().to_owned(), session: signed_in.session, lasts: oidc.session_lasts() };
        Ok(self.open_session(user, METHOD, Holds::Cookie, Some(&provider), address).await?)
    }

    /// Ends the sessions that the other system has ended.
    pub(crate) async fn sign_out_through(&self, oidc: &Oidc, token: &str) -> Result<(), ThroughError> {
        let LoggedOut { subject, session } = oidc.logged_out(token).await?;
        let user = match &subject {
            Some(subject) => match people::by_identity(self.pool(), oidc.issuer(), subject).await? {
                Some(user) => Some(user),
                None => return Ok(()),
            },
            None => None,
        };
        for session in sessions::of_provider(self.pool(), oidc.issuer(), session.as_deref(), user).await? {
            self.end(session, EndReason::Provider, order_of_itself()).await?;
        }
        Ok(())
    }

    /// Who is meant: whoever came by that issuer and subject before. A name or an address is no proof: it may be another
    /// person's here.
    async fn meant(&self, oidc: &Oidc, signed_in: &SignedIn) -> Result<UserId, ThroughError> {
        let known = people::by_identity(self.pool(), oidc.issuer(), &signed_in.subject).await?;
        match known {
            Some(user) => Ok(user),
            None if oidc.provisions() => self.provision(oidc, signed_in).await,
            None => Err(ThroughError::Nobody),
        }
    }

    async fn provision(&self, oidc: &Oidc, signed_in: &SignedIn) -> Result<UserId, ThroughError> {
        let user = self.create_named(signed_in).await?;
        people::keep_identity(self.pool(), oidc.issuer(), &signed_in.subject, user).await?;
        match people::by_identity(self.pool(), oidc.issuer(), &signed_in.subject).await? {
            // The same person came twice at a time: one of the two accounts is theirs.
            Some(first) if first != user => {
                self.erase_user(user, order_of_itself()).await?;
                Ok(first)
            }
            Some(_) | None => Ok(user),
        }
    }

    /// Makes a user of the name that the other system says, or of one like it.
    async fn create_named(&self, signed_in: &SignedIn) -> Result<UserId, ThroughError> {
        let claims = &signed_in.claims;
        let wished = text_at(claims, "preferred_username").unwrap_or_else(|| signed_in.subject.clone());
        let mut last = None;
        for name in names(&wished) {
            let details = Details {
                username: name,
                full_name: text_at(claims, "name").unwrap_or_default(),
                // What is no address is not kept, and keeps nobody out.
                email: text_at(claims, "email").filter(|text| people::is_address(text)),
                note: String::new(),
            };
            let new = NewUser { details, grants: Default::default(), first: false };
            match self.create_user(new, order_of_itself()).await {
                Ok(done) => return Ok(done.answer),
                Err(error @ UserError::Person(PersonError::Taken { .. })) => last = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        Err(last.map_or(ThroughError::Nobody, ThroughError::Account))
    }

    /// Gives the roles of the groups, and takes those of groups that are left. What a rule refuses (the last administrator
    /// stays one, a site must be set up) is told in the log, and changes nothing else.
    async fn follow_groups(&self, user: UserId, roles: &Roles) -> Result<(), ThroughError> {
        let holder = Holder::User(user);
        for grant in &roles.held {
            self.try_out(&GrantRole { holder, grant: grant.clone() }).await?;
        }
        for grant in roles.given.difference(&roles.held) {
            self.try_out(&RevokeRole { holder, grant: grant.clone() }).await?;
        }
        Ok(())
    }

    async fn try_out<D: Decision<Refusal = IdentityRefusal>>(&self, command: &D) -> Result<(), ThroughError> {
        match self.executor().execute(command, order_of_itself()).await {
            Ok(_) => Ok(()),
            Err(Failure::Refused(refusal)) => {
                tracing::warn!(command = D::NAME, refusal = %reason(&refusal), "what a group means could not be done");
                Ok(())
            }
            Err(failure) => Err(SignInError::Command(failure).into()),
        }
    }
}

/// The name that somebody wishes for, without what no name has, and others like it.
fn names(wished: &str) -> impl Iterator<Item = Username> {
    let allowed = |c: char| if Username::new(&c.to_string()).is_ok() { c } else { '-' };
    let plain: String = wished.chars().map(allowed).take(60).collect();
    // Of a name in another alphabet nothing is left.
    let plain = if plain.chars().all(|c| c == '-') { "user".to_owned() } else { plain };
    let more = (2..=NAMES).map({
        let plain = plain.clone();
        move |n| format!("{plain}-{n}")
    });
    std::iter::once(plain).chain(more).filter_map(|name| Username::new(&name).ok())
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_wished_name_becomes_one_that_can_be_had() {
        let first = |wished: &str| names(wished).map(|name| name.as_str().to_owned()).take(2).collect::<Vec<_>>();
        assert_eq!(first("ops@example.org"), ["ops@example.org", "ops@example.org-2"]);
        assert_eq!(first("two words/é:x"), ["two-words---x", "two-words---x-2"]);
        assert_eq!(first(""), ["user", "user-2"]);
        assert_eq!(first("Ωμέγα"), ["user", "user-2"]);
        assert_eq!(first(&"x".repeat(100)), ["x".repeat(60), format!("{}-2", "x".repeat(60))]);
    }
}
