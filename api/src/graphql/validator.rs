//! Says what is wrong with a document without running it.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::{Request, ServerError, ValidationResult};

use super::{Schema, shown};
use crate::settings::Protocols;

/// A schema that validates as the served one does, and never executes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Validator(Schema);

impl Validator {
    pub(crate) fn new(protocols: &Protocols) -> Self {
        Self(shown(protocols).extension(Stop).finish())
    }

    /// What is wrong with a request's document or variables; nothing if it would run.
    ///
    /// # Errors
    /// Each thing that is wrong, with its place in the document.
    pub(crate) async fn validate(&self, request: Request) -> Result<(), Vec<ServerError>> {
        let errors = self.0.execute(request).await.errors;
        if errors.iter().any(is_end) { Ok(()) } else { Err(errors) }
    }
}

/// Ends every request once it is known to be valid.
struct Stop;

/// Marks the error that means: it is valid.
struct Valid;

fn is_end(error: &ServerError) -> bool {
    error.source::<Valid>().is_some()
}

impl ExtensionFactory for Stop {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Stop)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Stop {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        next.run(ctx).await?;
        let mut end = ServerError::new("valid", None);
        end.source = Some(Arc::new(Valid));
        Err(vec![end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_document_is_judged_and_not_run() {
        let validator = Validator::new(&Protocols::default());
        // Running this one would panic: there are no services.
        assert!(validator.validate(Request::new("{ head }")).await.is_ok());
        assert!(validator.validate(Request::new("subscription { events { position } }")).await.is_ok());
        for wrong in ["{", "{ nonsense }", "query q($a: ID!) { head }", "{ stands(first: \"x\") { totalCount } }"] {
            let errors = validator.validate(Request::new(wrong)).await.unwrap_err();
            assert!(
                !errors.is_empty() && errors.iter().all(|error| !error.locations.is_empty()),
                "{wrong}: {errors:?}"
            );
        }
    }
}
