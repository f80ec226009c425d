//! A receiver for tests and measurements, over HTTP or HTTPS on this machine, that behaves as it is told: also badly.

mod behaviour;
mod certificate;
mod connection;
mod events;
mod settings;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub use behaviour::{Behaviour, Gate, Reply};
pub use certificate::{Certificate, Flaw};
pub use connection::Received;
pub use events::{append, noon};
pub use settings::{endpoint, local};

/// How long something is waited for that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

type Choose = dyn Fn(&Received) -> Behaviour + Send + Sync;

struct Shared {
    choose: Mutex<Arc<Choose>>,
    received: Mutex<Vec<Received>>,
    keeps: bool,
    count: watch::Sender<u64>,
    connections: watch::Sender<u64>,
}

/// Listens on 127.0.0.1 until it is dropped.
pub struct Receiver {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({})", self.url())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// Over HTTP; `choose` says what becomes of each request.
    ///
    /// # Panics
    /// There is no port.
    pub async fn start(choose: impl Fn(&Received) -> Behaviour + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(choose), None, true).await
    }

    /// Over HTTPS, with a certificate.
    ///
    /// # Panics
    /// There is no port.
    pub async fn encrypted(
        certificate: &Certificate,
        choose: impl Fn(&Received) -> Behaviour + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Arc::new(choose), Some(certificate.acceptor()), true).await
    }

    /// Over HTTP, and without keeping what it is sent: for measurements with many requests.
    ///
    /// # Panics
    /// There is no port.
    pub async fn forgetful(choose: impl Fn(&Received) -> Behaviour + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(choose), None, false).await
    }

    async fn listen(choose: Arc<Choose>, tls: Option<TlsAcceptor>, keeps: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            choose: Mutex::new(choose),
            received: Mutex::default(),
            keeps,
            count: watch::Sender::new(0),
            connections: watch::Sender::new(0),
        });
        let task = tokio::spawn(accept(listener, tls, Arc::clone(&shared)));
        Self { address, scheme, shared, task }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}/hook", self.scheme, self.address)
    }

    /// From now on, each request is treated so.
    pub fn behave(&self, choose: impl Fn(&Received) -> Behaviour + Send + Sync + 'static) {
        *locked(&self.shared.choose) = Arc::new(choose);
    }

    /// Every request so far, in the order in which they were complete.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        locked(&self.shared.received).clone()
    }

    /// How many requests so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        *self.shared.count.borrow()
    }

    /// How many connections so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        *self.shared.connections.borrow()
    }

    /// Waits until it was sent so many requests.
    ///
    /// # Panics
    /// That does not happen within a minute.
    pub async fn has(&self, count: u64) {
        self.until(&format!("{count} requests"), |receiver| (receiver.count() >= count).then_some(())).await;
    }

    /// Waits until `look` finds something; it looks again after each request.
    ///
    /// # Panics
    /// That does not happen within a minute.
    pub async fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let mut changes = self.shared.count.subscribe();
        let looking = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = look(self) {
                    break found;
                }
                changes.changed().await.expect("the receiver is here");
            }
        };
        let found = tokio::time::timeout(PATIENCE, looking).await;
        found.unwrap_or_else(|_| panic!("not in time: {what}; there were {} requests", self.count()))
    }
}

impl Shared {
    fn take(&self, received: Received) -> Behaviour {
        let choose = Arc::clone(&locked(&self.choose));
        let behaviour = choose(&received);
        if self.keeps {
            locked(&self.received).push(received);
        }
        self.count.send_modify(|count| *count += 1);
        behaviour
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // Dropped with this task, so that nobody is served by a receiver that is gone.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        shared.connections.send_modify(|count| *count += 1);
        connections.spawn(connection::serve(stream, tls.clone(), Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}
