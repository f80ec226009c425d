//! TLS from a certificate and a key, which may change while the server runs.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::connections::Counted;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Where the certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// `VIGIE_TLS_CERTIFICATE`: PEM, the server's certificate first, then those that it was signed with.
    pub certificate: PathBuf,
    /// `VIGIE_TLS_KEY`: PEM.
    pub key: PathBuf,
}

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: pem::Error,
    },
    /// There is no certificate in the file.
    #[error("{} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// The certificate and the key cannot be used together.
    #[error("{} and {} cannot be used together", files.certificate.display(), files.key.display())]
    Unusable {
        /// Both.
        files: TlsFiles,
        /// Why not.
        source: rustls::Error,
    },
}

/// What new connections are encrypted with. Cheap to clone.
#[derive(Clone)]
pub struct Tls(watch::Receiver<Arc<ServerConfig>>);

impl Tls {
    /// Reads the files now, and again whenever they change. Files that cannot be used leave what was; connections that
    /// are open stay as they are.
    ///
    /// # Errors
    /// The files cannot be used.
    pub fn start(files: TlsFiles) -> Result<Self, TlsError> {
        let state = state(&files);
        let (sender, receiver) = watch::channel(Arc::new(read(&files)?));
        tokio::spawn(follow(files, state, sender));
        Ok(Self(receiver))
    }

    pub(super) async fn handshake(&self, stream: Counted, limit: Duration) -> io::Result<TlsStream<Counted>> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.0.borrow()));
        tokio::time::timeout(limit, acceptor.accept(stream)).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// What the files say.
///
/// # Errors
/// They cannot be used.
pub(crate) fn read(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let certificates = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable(&files.key))?;
    let unusable = |source| TlsError::Unusable { files: files.clone(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificates of a file, of which there is one at least.
///
/// # Errors
/// There is none, or the file cannot be read.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found.map_err(unreadable(path)) {
        Ok(found) if found.is_empty() => Err(TlsError::NoCertificate(path.to_owned())),
        other => other,
    }
}

/// Whether browsers take a certificate for one of a name or address.
pub(crate) fn is_for(certificate: &CertificateDer<'_>, name: &str) -> bool {
    let parsed = ParsedCertificate::try_from(certificate).ok().zip(ServerName::try_from(name).ok());
    parsed.is_some_and(|(certificate, name)| verify_server_name(&certificate, &name).is_ok())
}

fn unreadable(path: &Path) -> impl FnOnce(pem::Error) -> TlsError + use<> {
    let path = path.to_owned();
    move |source| TlsError::Read { path, source }
}

/// What tells that a file was written again, or another one put in its place; nothing for one that is not there.
type State = [Option<(SystemTime, u64, u64)>; 2];

fn state(files: &TlsFiles) -> State {
    [&files.certificate, &files.key].map(|path| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len(), found.ino()))
    })
}

/// Looks, because a notification would be lost where files come over a network or by a link that is turned.
async fn follow(files: TlsFiles, mut known: State, sender: watch::Sender<Arc<ServerConfig>>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !sender.is_closed() {
        looks.tick().await;
        let found = state(&files);
        if found == known {
            continue;
        }
        known = found;
        match read(&files) {
            Ok(config) => {
                tracing::info!(tls.certificate = %files.certificate.display(), "new connections have the new certificate");
                sender.send_replace(Arc::new(config));
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(error = %error, cause, "the old certificate stays");
            }
        }
    }
}
