//! `vigie projections rebuild` and `cancel`.

use std::process::ExitCode;

use vigie_domain::kernel::Note;
use vigie_projections::ProjectionError;
use vigie_projections::control::{Asked, By, RebuildState, ask_for_rebuild, cancel_rebuild, rebuild_as};

use super::Desk;
use super::progress::{bar, show};
use crate::cli::Outcome;
use crate::cli::say::say;
use crate::operate::{Until, position_until};

impl Desk {
    pub(super) async fn rebuild(
        &self,
        names: &[String],
        until: Option<Until>,
        reason: &Note,
        background: bool,
    ) -> Outcome {
        let until = match until {
            Some(until) => Some(position_until(&self.runtime.log, until).await?),
            None => None,
        };
        let asked = Asked { until, by: By::new(&self.actor, reason.as_str()) };
        if background { self.ask_for(names, &asked).await } else { self.rebuild_here(names, &asked).await }
    }

    async fn ask_for(&self, names: &[String], asked: &Asked) -> Outcome {
        for name in names {
            let rebuild = ask_for_rebuild(&self.runtime.pool, &self.runtime.log, name, asked).await?;
            if self.json {
                say!("{}", serde_json::to_string(&rebuild)?);
            } else {
                say!("{name}: asked for; a running server makes it anew (vigie projections status --watch)");
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn rebuild_here(&self, names: &[String], asked: &Asked) -> Outcome {
        let mut rebuilt = serde_json::Map::new();
        for name in names {
            let bar = bar(name, "events");
            let made = rebuild_as(&self.runtime.pool, &self.runtime.log, name, asked, &show(&bar), &self.cancel).await;
            bar.finish_and_clear();
            let position = match made {
                Err(ProjectionError::Cancelled) => {
                    eprintln!("{name}: cancelled; the old rows are what people read");
                    return Ok(ExitCode::from(130));
                }
                made => made?,
            };
            match (self.json, asked.until) {
                (true, _) => drop(rebuilt.insert(name.clone(), position.into())),
                (false, None) => say!("{name}: made anew up to position {position}"),
                (false, Some(_)) => say!(
                    "{name}: made anew until position {position} and paused there; \
                     `vigie projections resume {name}` lets it catch up"
                ),
            }
        }
        if self.json {
            say!("{}", serde_json::Value::Object(rebuilt));
        }
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn cancel_rebuild(&self, name: &str, reason: &Note) -> Outcome {
        let by = By::new(&self.actor, reason.as_str());
        let rebuild = cancel_rebuild(&self.runtime.pool, name, &by).await?;
        if self.json {
            say!("{}", serde_json::to_string(&rebuild)?);
        } else if rebuild.state == RebuildState::Cancelled {
            say!("{name}: there is no rebuild any more; the old rows are what people read");
        } else {
            let owner = rebuild.owner.as_deref().unwrap_or("its process");
            say!("{name}: {owner} is told to end the rebuild; the old rows stay");
        }
        Ok(ExitCode::SUCCESS)
    }
}
