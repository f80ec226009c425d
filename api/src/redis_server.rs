//! A real Redis for a test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

/// A Redis of its own, ended with the test.
pub(crate) struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    /// On a port that is free.
    pub(crate) fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
    }

    fn on(port: u16) -> Self {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed: make setup");
        Self { child, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).unwrap()
    }

    /// A connection, once it answers.
    pub(crate) async fn connection(&self) -> redis::aio::MultiplexedConnection {
        loop {
            match self.client().get_multiplexed_async_connection().await {
                Ok(connection) => return connection,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again, empty, after it was killed.
    pub(crate) fn restart(&mut self) {
        *self = Self::on(self.port);
    }

    /// Lets it stand still: it takes connections and answers nothing.
    pub(crate) fn freeze(&self) {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.unwrap(), rustix::process::Signal::STOP).unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
