//! `vigie import`.

use super::Outcome;
use crate::settings::Settings;

/// Arguments of `vigie import`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub async fn run(_args: Args, _settings: Settings) -> Outcome {
    todo!()
}
