//! `vigie demo`.

use super::Outcome;
use crate::settings::Settings;

/// Arguments of `vigie demo`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub async fn run(_args: Args, _settings: Settings) -> Outcome {
    todo!()
}
