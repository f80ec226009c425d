//! What works beside the requests of a process: the read models, the policies, what wakes them, and the upkeep of the log.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vigie_commands::policies::Policies;
use vigie_eventlog::ranges::freeze;
use vigie_projections::Projections;

use crate::clock;
use crate::demo::{Speed, live};
use crate::runtime::Runtime;
use crate::settings::Settings;
use crate::wakeups;

/// What works beside the requests, until stopped.
pub struct Background {
    /// The read models that this process folds or waits for.
    pub projections: Projections,
    policies: Policies,
    demo: Option<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Background {
    /// Starts it.
    ///
    /// # Errors
    /// The database cannot be reached, or `REDIS_URL` cannot be read.
    pub async fn start(
        runtime: &Runtime,
        settings: &Settings,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let stop = CancellationToken::new();
        let pool: &PgPool = &runtime.pool;
        let projections = Projections::start(pool.clone(), runtime.log.clone(), stop.clone()).await?;
        let policies = Policies::start(&runtime.executor, pool, vigie_domain::policies::ALL, &clock::time());
        if let Some(url) = &settings.redis_url {
            let database = pool.connect_options().get_database().unwrap_or("vigie").to_owned();
            let client = redis::Client::open(url.as_str())?;
            tokio::spawn(wakeups::run(client, database, runtime.log.clone(), stop.clone()));
        }
        tokio::spawn(freeze_full_ranges(runtime.owner().clone(), stop.clone()));
        Ok(Self { projections, policies, demo: None, stop })
    }

    /// Plays the demo day beside it.
    pub fn play_demo(&mut self, runtime: &Runtime, speed: Speed) {
        let (executor, stop) = (runtime.executor.clone(), self.stop.clone());
        self.demo = Some(tokio::spawn(async move {
            if let Err(error) = live::play(&executor, speed, clock::now(), &stop).await {
                tracing::error!(error = %error, "the demo has ended early");
            }
        }));
    }

    /// Stops what gives commands first: what it still decides is folded at the next start.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Some(demo) = self.demo {
            let _ = demo.await;
        }
        self.policies.stop().await;
        self.projections.stopped().await;
    }
}

/// Freezes ranges of the log once they are full, as its owner; does nothing where the login is not.
async fn freeze_full_ranges(owner: PgConnectOptions, stop: CancellationToken) {
    const EVERY: Duration = Duration::from_secs(600);
    let work = async {
        loop {
            if let Err(error) = freeze(&owner).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "full ranges cannot be frozen; trying again");
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}
