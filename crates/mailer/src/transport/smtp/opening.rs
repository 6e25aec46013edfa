//! From nothing to a connection on which mails can be sent.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use lettre::transport::smtp::{
    client::{Certificate, TlsParameters},
    extension::ClientId,
};
use rekey_runtime::config::{Smtp, SmtpLogin, SmtpRelay, SmtpTls};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{dialogue::Connection, failure, login::log_in, stream::Wire};
use crate::transport::reason::clean;

/// Opens connections to one relay.
pub(super) struct Opener {
    host: String,
    port: u16,
    security: Security,
    login: Option<SmtpLogin>,
    hello: Option<ClientId>,
}

enum Security {
    None,
    StartTls(TlsParameters),
    Implicit(TlsConnector, ServerName<'static>),
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
    #[error("a host in smtp.relays is no name that a certificate can be checked against")]
    Name(#[from] InvalidDnsNameError),
    #[error("TLS can't be set up")]
    Tls(#[from] rustls::Error),
    #[error("STARTTLS can't be set up")]
    StartTls(#[from] lettre::transport::smtp::Error),
}

impl Opener {
    pub(super) fn new(relay: &SmtpRelay, settings: &Smtp) -> Result<Self, SmtpSetupError> {
        Ok(Self {
            host: relay.host.clone(),
            port: relay.port,
            security: security(relay, settings.ca_file.as_deref())?,
            login: relay.login.clone(),
            hello: settings.helo_name.clone().map(ClientId::Domain),
        })
    }

    /// Connects, encrypts and logs in, as configured: nothing of it is optional. Or tells why that failed, which is never
    /// about a mail.
    pub(super) async fn open(&self) -> Result<Connection, String> {
        let unreachable = |error: io::Error| clean(&format!("can't connect to the relay: {error}"));
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        let hello = self.hello.clone().unwrap_or(literal(stream.local_addr().map_err(unreachable)?.ip()));
        let mut connection = self.secure(stream, &hello).await?;
        if let Some(login) = &self.login {
            log_in(&mut connection, login).await?;
        }
        Ok(connection)
    }

    async fn secure(&self, stream: TcpStream, hello: &ClientId) -> Result<Connection, String> {
        let refused = |error| failure::told(&error);
        let peer = stream.peer_addr().map_err(|error| clean(&error.to_string()))?;
        match &self.security {
            Security::None => Connection::connect_with_transport(Box::new(Wire::new(stream, peer)), hello)
                .await
                .map_err(refused),
            Security::StartTls(parameters) => {
                let wire = Box::new(Wire::before_starttls(stream, peer));
                let mut connection =
                    Connection::connect_with_transport(wire, hello).await.map_err(refused)?;
                if !connection.can_starttls() {
                    return Err("the relay offers no STARTTLS".to_owned());
                }
                connection.starttls(parameters.clone(), hello).await.map_err(refused)?;
                Ok(connection)
            }
            Security::Implicit(connector, name) => {
                let connected = connector.connect(name.clone(), stream).await;
                let stream = connected.map_err(|error| failure::of_handshake(&error))?;
                Connection::connect_with_transport(Box::new(Wire::new(stream, peer)), hello)
                    .await
                    .map_err(refused)
            }
        }
    }
}

fn security(relay: &SmtpRelay, ca_file: Option<&Path>) -> Result<Security, SmtpSetupError> {
    match relay.tls {
        SmtpTls::None => Ok(Security::None),
        SmtpTls::StartTls => {
            let mut builder = TlsParameters::builder(relay.host.clone());
            for certificate in authorities(ca_file)? {
                builder = builder.add_root_certificate(Certificate::from_der(certificate.to_vec())?);
            }
            Ok(Security::StartTls(builder.build()?))
        }
        SmtpTls::Implicit => {
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
            let name = ServerName::try_from(relay.host.clone())?;
            Ok(Security::Implicit(TlsConnector::from(Arc::new(config)), name))
        }
    }
}

/// The certificates of a PEM file: none without a file, at least one with it.
fn authorities(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, SmtpSetupError> {
    let Some(path) = file else { return Ok(Vec::new()) };
    let pem = fs::read(path).map_err(|source| SmtpSetupError::Read { path: path.to_owned(), source })?;
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(SmtpSetupError::NoCertificate { path: path.to_owned() }),
    }
}

/// An address literal, for a machine without a name (RFC 5321 §4.1.3).
fn literal(address: IpAddr) -> ClientId {
    match address {
        IpAddr::V4(address) => ClientId::Ipv4(address),
        IpAddr::V6(address) => ClientId::Ipv6(address),
    }
}
