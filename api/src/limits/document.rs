//! A document, from its text to what may be executed.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{ServerError, Variables};

use super::weigh::{Weight, Weightless, weigh};
use super::{Exceeded, Limit, Limits, tokens};

/// Documents that are refused are charged for being read: one for so many tokens.
const TOKENS_FOR_ONE: u64 = 10;

/// What an operation costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// What it costs; at least 1.
    pub(crate) cost: u64,
    /// The most that any may.
    pub(crate) limit: u64,
}

impl Cost {
    /// Adds it to the measurements.
    #[expect(clippy::cast_precision_loss, reason = "histograms are of floats")]
    pub(crate) fn record(self) {
        metrics::histogram!("vigie_operation_cost_size").record(self.cost as f64);
    }
}

/// A document that is not executed, with what it costs to have looked at it.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) error: ServerError,
    pub(crate) cost: u64,
}

/// Parses `text` if it is small enough, and says what its operation of this name would cost if that is allowed.
pub(crate) fn check(
    text: &str,
    operation: Option<&str>,
    variables: &Variables,
    limits: &Limits,
) -> Result<(ExecutableDocument, Cost), Unfit> {
    let counted = tokens::count(text);
    let cost = 1 + counted.tokens.min(limits.tokens) / TOKENS_FOR_ONE;
    let unfit = |error| Unfit { error, cost };
    let text_fits = Limit::Tokens
        .check(counted.tokens, limits.tokens)
        .and_then(|()| Limit::Nesting.check(counted.nesting, limits.nesting));
    text_fits.map_err(|exceeded| unfit(exceeded.into_error()))?;
    let document = parse_query(text).map_err(|error| unfit(error.into()))?;
    let cost = fits(&document, operation, variables, limits).map_err(|weightless| {
        unfit(match weightless {
            Weightless::Exceeded(exceeded) => exceeded.into_error(),
            Weightless::Wrong(error) => error,
        })
    })?;
    Ok((document, Cost { cost: cost.max(1), limit: limits.cost }))
}

/// The cost of the operation of that name, once every operation of the document is within the limits: validation looks
/// at all of them.
fn fits(
    document: &ExecutableDocument,
    name: Option<&str>,
    variables: &Variables,
    limits: &Limits,
) -> Result<u64, Weightless> {
    let (mut fields, mut cost) = (0_u64, 0);
    for (own, operation) in document.operations.iter() {
        let weight = weigh(&operation.node, document, variables, limits)?;
        fields = fields.saturating_add(weight.fields);
        Limit::Fields.check(fields, limits.fields).map_err(|exceeded| exceeded.at(operation.pos))?;
        within(&weight, limits).map_err(|exceeded| exceeded.at(operation.pos))?;
        if name.is_none() || own.map(|own| own.as_str()) == name {
            cost = weight.cost.max(cost);
        }
    }
    Ok(cost)
}

fn within(weight: &Weight, limits: &Limits) -> Result<(), Exceeded> {
    Limit::Depth.check(weight.depth, limits.depth)?;
    Limit::Aliases.check(weight.aliases, limits.aliases)?;
    Limit::Directives.check(weight.directives, limits.directives)?;
    Limit::RootFields.check(weight.width, limits.root_fields)?;
    Limit::Cost.check(weight.cost, limits.cost)
}

#[cfg(test)]
mod tests;
