//! How many connections are open, so that nobody takes all of what the system lets the process have.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::limits::Address;
use crate::settings::Settings;

/// Who is refused is told so, unless so many are being told already: then they are cut off.
const FAREWELLS: usize = 64;
/// How long somebody may take to hear it.
const HEARING: Duration = Duration::from_secs(1);
/// What they hear; it has the form of every error.
const REFUSAL: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 5\r\n\
                       connection: close\r\ncontent-length: 101\r\n\r\n\
                       {\"errors\":[{\"message\":\"too many connections are open\",\"extensions\":{\"code\":\"TOO_MANY_CONNECTIONS\"}}]}";

/// The connections that are open. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connections(Arc<Shared>);

struct Shared {
    most: usize,
    most_of_one: usize,
    /// Many clients come from each of these.
    proxies: Vec<IpAddr>,
    open: Mutex<Open>,
    farewells: Arc<Semaphore>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by: HashMap<Address, usize>,
}

/// A connection that counts until it is dropped, also after it has become a WebSocket.
pub(super) struct Counted {
    stream: TcpStream,
    _admission: Admission,
}

struct Admission {
    connections: Connections,
    /// None for a proxy.
    address: Option<Address>,
}

impl Connections {
    pub(super) fn new(settings: &Settings) -> Self {
        let edge = &settings.edge;
        Self(Arc::new(Shared {
            most: edge.connections,
            most_of_one: edge.address_connections,
            proxies: settings.limits.trusted_proxies.clone(),
            open: Mutex::default(),
            farewells: Arc::new(Semaphore::new(FAREWELLS)),
        }))
    }

    /// Counts one more; whoever is not let in is told so, in plain words where those are understood.
    pub(super) fn count(&self, stream: TcpStream, peer: IpAddr, plain: bool) -> Option<Counted> {
        match self.admit(peer) {
            Some(admission) => Some(Counted { stream, _admission: admission }),
            None => {
                self.refuse(stream, plain);
                None
            }
        }
    }

    /// Lets one more in; none if there are too many, of all or of its address.
    fn admit(&self, peer: IpAddr) -> Option<Admission> {
        let peer = peer.to_canonical();
        let address = (!self.0.proxies.contains(&peer)).then(|| Address::from(peer));
        let mut open = self.open();
        let of_one = address.map_or(0, |address| open.by.get(&address).copied().unwrap_or(0));
        if open.all >= self.0.most || of_one >= self.0.most_of_one {
            metrics::counter!("vigie_connections_refused_total").increment(1);
            return None;
        }
        open.all += 1;
        if let Some(address) = address {
            open.by.insert(address, of_one + 1);
        }
        metrics::gauge!("vigie_connections_open").set(u32::try_from(open.all).unwrap_or(u32::MAX));
        Some(Admission { connections: self.clone(), address })
    }

    fn refuse(&self, mut stream: TcpStream, plain: bool) {
        let Ok(place) = Arc::clone(&self.0.farewells).try_acquire_owned() else { return };
        if !plain {
            // To say it over TLS would cost more than to serve.
            return;
        }
        tokio::spawn(async move {
            let _place = place;
            // What was sent and not read would make the system break the connection before the answer is read.
            let told = async {
                stream.write_all(REFUSAL.as_bytes()).await?;
                stream.shutdown().await?;
                let mut rest = [0; 1_024];
                while stream.read(&mut rest).await? > 0 {}
                Ok::<_, io::Error>(())
            };
            // Whoever does not listen misses it.
            let _ = tokio::time::timeout(HEARING, told).await;
        });
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.all -= 1;
        metrics::gauge!("vigie_connections_open").set(u32::try_from(open.all).unwrap_or(u32::MAX));
        let Some(address) = self.address else { return };
        let left = open.by.get(&address).map_or(0, |count| count - 1);
        if left == 0 {
            open.by.remove(&address);
        } else {
            open.by.insert(address, left);
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, from)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, from)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::settings::Edge;

    fn connections(most: usize, most_of_one: usize) -> Connections {
        let edge = Edge { connections: most, address_connections: most_of_one, ..Edge::default() };
        let limits = Limits { trusted_proxies: vec!["10.0.0.1".parse().unwrap()], ..Limits::default() };
        Connections::new(&Settings { edge, limits, ..Settings::defaults() })
    }

    #[test]
    fn an_address_has_its_share_until_it_closes_one() {
        let connections = connections(10, 2);
        let peer = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = connections.admit(peer("192.0.2.1"));
        let second = connections.admit(peer("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some() && connections.admit(peer("192.0.2.1")).is_none());
        let other = connections.admit(peer("192.0.2.2"));
        assert!(other.is_some());
        drop(first);
        assert!(connections.admit(peer("192.0.2.1")).is_some());
        drop((second, other));
        assert!(connections.open().by.is_empty() && connections.open().all == 0);
        // One subscriber has a whole network of IPv6.
        let held: Vec<_> =
            ["2001:db8::1", "2001:db8::2"].into_iter().map(|text| connections.admit(peer(text))).collect();
        assert!(held.iter().all(Option::is_some) && connections.admit(peer("2001:db8::3")).is_none());
    }

    #[test]
    fn all_together_have_a_bound_and_a_proxy_has_no_other() {
        let connections = connections(3, 1);
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let held: Vec<_> = (0..3).map(|_| connections.admit(proxy)).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(connections.admit(proxy).is_none() && connections.admit("192.0.2.1".parse().unwrap()).is_none());
    }

    #[test]
    fn the_refusal_is_an_answer() {
        let (head, body) = REFUSAL.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "TOO_MANY_CONNECTIONS");
    }
}
