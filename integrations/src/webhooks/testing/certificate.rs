//! Certificates for receivers: good ones, and those that must not be trusted.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// What is wrong with a certificate that its client otherwise trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It was good until 2001.
    Expired,
    /// It is for `elsewhere.example`.
    OtherName,
}

/// A certificate that signs itself, and its key.
#[derive(Debug, Clone)]
pub struct Certificate {
    certificate: CertificateDer<'static>,
    key: Arc<PrivatePkcs8KeyDer<'static>>,
    pem: String,
}

impl Certificate {
    /// For `localhost`, `receiver.example` and 127.0.0.1.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self::with(None)
    }

    /// With a flaw.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn flawed(flaw: Flaw) -> Self {
        Self::with(Some(flaw))
    }

    fn with(flaw: Option<Flaw>) -> Self {
        let names = match flaw {
            Some(Flaw::OtherName) => vec!["elsewhere.example"],
            _ => vec!["localhost", "receiver.example", "127.0.0.1"],
        };
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut params = CertificateParams::new(names).expect("the names are names");
        if flaw == Some(Flaw::Expired) {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2001, 1, 1);
        }
        let key = KeyPair::generate().expect("a key is drawn");
        let certificate = params.self_signed(&key).expect("it signs itself");
        let pem = certificate.pem();
        let key = Arc::new(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Self { certificate: certificate.der().clone(), key, pem }
    }

    /// What who is to trust it needs.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the versions fit")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key().into())
            .expect("the key is the certificate's");
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}
