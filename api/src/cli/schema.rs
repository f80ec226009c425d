//! `vigie schema`.

use std::process::ExitCode;

use super::Outcome;
use crate::cli::say::say_text;

/// Arguments of `vigie schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Prints the GraphQL schema.
pub(super) fn run(_args: &Args) -> Outcome {
    say_text!("{}", crate::graphql::sdl());
    Ok(ExitCode::SUCCESS)
}
