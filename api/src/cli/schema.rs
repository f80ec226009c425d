//! `vigie schema`.

use std::process::ExitCode;

use super::Outcome;

/// Arguments of `vigie schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Prints the GraphQL schema.
pub(super) fn run(_args: &Args) -> Outcome {
    print!("{}", crate::graphql::sdl());
    Ok(ExitCode::SUCCESS)
}
