//! Opening a connection on which mails can be sent.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use lettre::transport::smtp::{client::AsyncTokioStream, extension::ClientId};
use rekey_core::metrics::LastValue;
use rekey_runtime::config::{Smtp, SmtpLogin, SmtpRelayConfig, SmtpTls};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    connect::connect, dialogue::Connection, failure::Unusable, lenient_reply_stream::LenientReplyStream,
    login::log_in, measure::seconds_left, starttls,
};
use crate::transport::clean::clean;

/// Opens connections to one relay.
pub(super) struct Opener {
    host: String,
    port: u16,
    security: Security,
    login: Option<SmtpLogin>,
    hello: Option<ClientId>,
    /// The seconds until the relay's certificate expires, at the last connection.
    pub(super) certificate_expiry: LastValue<f64>,
}

enum Security {
    None,
    StartTls(Tls),
    Implicit(Tls),
}

struct Tls {
    connector: TlsConnector,
    /// The name that the certificate must have.
    name: ServerName<'static>,
}

/// Why a transport can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSetupError {
    #[error("smtp.ca_file {path} can't be read")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("smtp.ca_file {path} holds no certificate in PEM")]
    NoCertificate { path: PathBuf },
    #[error("a host in smtp.relays is not a name that a certificate can be checked against")]
    Name(#[from] InvalidDnsNameError),
    #[error("TLS can't be set up")]
    Tls(#[from] rustls::Error),
}

impl Opener {
    pub(super) fn new(relay: &SmtpRelayConfig, settings: &Smtp) -> Result<Self, SmtpSetupError> {
        let tls = || Tls::new(&relay.host, settings.ca_file.as_deref());
        Ok(Self {
            host: relay.host.clone(),
            port: relay.port,
            security: match relay.tls {
                SmtpTls::None => Security::None,
                SmtpTls::StartTls => Security::StartTls(tls()?),
                SmtpTls::Implicit => Security::Implicit(tls()?),
            },
            login: relay.login.clone(),
            hello: settings.helo_name.clone().map(ClientId::Domain),
            certificate_expiry: LastValue::default(),
        })
    }

    /// Connects, encrypts and logs in, as configured: nothing of it is optional. The error says why that failed, which is never
    /// about a mail.
    pub(super) async fn open(&self) -> Result<Connection, Unusable> {
        let unreachable = |error: io::Error| clean(&format!("can't connect to the relay: {error}"));
        let stream = connect(&self.host, self.port).await.map_err(unreachable)?;
        let hello = self.hello.clone().unwrap_or(literal(stream.local_addr().map_err(unreachable)?.ip()));
        let mut connection = self.secure(stream, &hello).await?;
        if let Some(login) = &self.login {
            log_in(&mut connection, login).await?;
        }
        Ok(connection)
    }

    async fn secure(&self, mut stream: TcpStream, hello: &ClientId) -> Result<Connection, Unusable> {
        let peer = stream.peer_addr().map_err(|error| clean(&error.to_string()))?;
        let stream: Box<dyn AsyncTokioStream> = match &self.security {
            Security::None => Box::new(LenientReplyStream::new(stream, peer)),
            Security::StartTls(tls) => {
                starttls::negotiate(&mut stream, hello).await?;
                Box::new(LenientReplyStream::greeted(self.encrypt(tls, stream).await?, peer))
            }
            Security::Implicit(tls) => {
                Box::new(LenientReplyStream::new(self.encrypt(tls, stream).await?, peer))
            }
        };
        let connected = Connection::connect_with_transport(stream, hello).await;
        connected.map_err(|error| Unusable::from_error(&error))
    }

    async fn encrypt(&self, tls: &Tls, stream: TcpStream) -> Result<TlsStream<TcpStream>, Unusable> {
        let stream = tls.encrypt(stream).await?;
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        self.certificate_expiry.set(certificate.and_then(seconds_left));
        Ok(stream)
    }
}

impl Tls {
    /// Requires TLS 1.2 or later, and a certificate for this relay from one of the system's authorities or the file's.
    fn new(host: &str, ca_file: Option<&Path>) -> Result<Self, SmtpSetupError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in authorities(ca_file)? {
            roots.add(certificate)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned())?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    async fn encrypt(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, Unusable> {
        let connected = self.connector.connect(self.name.clone(), stream).await;
        connected.map_err(|error| Unusable::from_handshake(&error))
    }
}

/// Reads the certificates of a PEM file: none without a file, at least one with it.
fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, SmtpSetupError> {
    let Some(path) = file else { return Ok(Vec::new()) };
    let pem = fs::read(path).map_err(|source| SmtpSetupError::Read { path: path.to_owned(), source })?;
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(SmtpSetupError::NoCertificate { path: path.to_owned() }),
    }
}

/// Returns an address literal, for a machine without a name (RFC 5321 §4.1.3).
fn literal(address: IpAddr) -> ClientId {
    match address {
        IpAddr::V4(address) => ClientId::Ipv4(address),
        IpAddr::V6(address) => ClientId::Ipv6(address),
    }
}
