//! What works beside the requests of a process: the read models, the policies, what wakes them, the
//! jobs, and the deliveries of webhooks.

use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use vigie_commands::jobs::Jobs;
use vigie_commands::policies::Policies;
use vigie_projections::Projections;

use crate::clock;
use crate::demo::{Speed, live};
use crate::jobs;
use crate::runtime::Runtime;
use crate::settings::Settings;
use crate::wakeups;
use crate::webhooks::{Delivering, Webhooks};

/// What works beside the requests, until stopped.
pub struct Background {
    /// The read models that this process folds or waits for.
    pub projections: Projections,
    policies: Policies,
    jobs: Jobs,
    delivering: Option<Delivering>,
    demo: Option<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Background {
    /// Starts it.
    ///
    /// # Errors
    /// The database cannot be reached, `REDIS_URL` cannot be read, or the machine has no certificates that can be used.
    pub async fn start(
        runtime: &Runtime,
        webhooks: &Webhooks,
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
        let jobs = jobs::start(&jobs::Parts {
            pool: pool.clone(),
            log: runtime.log.clone(),
            owner: runtime.owner().clone(),
            refusals: settings.refusals,
            sign_ins: settings.accounts.keep(),
            deliveries: settings.webhooks.keep,
            time: clock::time(),
        });
        let delivering = webhooks.deliver(&runtime.log, &projections, clock::time(), settings)?;
        Ok(Self { projections, policies, jobs, delivering, demo: None, stop })
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
        if let Some(delivering) = self.delivering {
            delivering.stop().await;
        }
        self.jobs.stop().await;
        self.policies.stop().await;
        self.projections.stopped().await;
    }
}
