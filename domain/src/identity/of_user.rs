//! The shape of a command that names one person and nothing else.

/// A command about a person, by its name and the function that is its rule.
macro_rules! of_user {
    ($(#[$doc:meta])* $command:ident = $name:literal by $rule:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $command {
            /// The person.
            pub user: UserId,
        }

        impl crate::kernel::Decision for $command {
            const NAME: &'static str = $name;
            type Answer = UserId;
            type Refusal = super::IdentityRefusal;

            fn things(&self) -> Vec<crate::kernel::Tag> {
                vec![self.user.tag()]
            }

            fn decide(&self, world: &World, _context: &crate::kernel::Context) -> Decides<UserId> {
                $rule(self.user, world)
            }
        }
    };
}
pub(super) use of_user;
