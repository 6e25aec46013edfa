use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use reqwest::Certificate as Authority;
use tokio::{io::AsyncWriteExt, net::TcpListener};
use tokio_rustls::rustls::{ServerConfig, pki_types::PrivateKeyDer};

use super::*;

/// The years of a certificate that is valid.
const VALID: (i32, i32) = (2020, 3000);
const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Returns a certificate for this name and these years, and its key.
fn certificate(name: &str, (from, until): (i32, i32)) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    (params, KeyPair::generate().unwrap())
}

/// Returns the settings of a server with this certificate.
fn server(certificate: &Certificate, key: &KeyPair) -> ServerConfig {
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap()
}

#[tokio::test]
async fn tls_failures_are_said_in_words() {
    let (known, unknown) = (authority("known"), authority("unknown"));
    let names = Names::new(&[["127.0.0.1"].as_slice(); 8]);
    let authorities = vec![Authority::from_der(known.as_ref().der()).unwrap()];
    let client = client(ClientOptions { lookup: Arc::new(names), authorities, ..local() });
    let signed = |issuer: &CertifiedIssuer<'static, KeyPair>, name: &str, years| {
        let (params, key) = certificate(name, years);
        Some(server(&params.signed_by(&key, issuer).unwrap(), &key))
    };
    let self_signed = |is_ca| {
        let (mut params, key) = certificate("receiver.example", VALID);
        params.is_ca = is_ca;
        Some(server(&params.self_signed(&key).unwrap(), &key))
    };
    let unknown_issuer = "its certificate is self-signed or from an unknown authority, or the server does not send the intermediate certificate";
    for (tls, expected) in [
        (signed(&known, "receiver.example", VALID), None),
        (signed(&known, "receiver.example", (2020, 2021)), Some("its certificate has expired")),
        (signed(&known, "receiver.example", (3000, 3001)), Some("its certificate is not valid yet")),
        (signed(&known, "other.example", VALID), Some("its certificate is for another name")),
        (signed(&unknown, "receiver.example", VALID), Some(unknown_issuer)),
        (self_signed(IsCa::NoCa), Some(unknown_issuer)),
        (self_signed(IsCa::Ca(BasicConstraints::Unconstrained)), Some(unknown_issuer)),
    ] {
        let receiver = Receiver::start_at("127.0.0.1:0", tls, OK, Then::Close).await;
        let url = format!("https://receiver.example:{}/", receiver.address.port());
        let sent = send(&client, &url).await.map_err(|failure| failure.reason.to_string());
        let found = sent.map(|answer| answer.status);
        assert_eq!(found, expected.map_or(Ok(204), |text| Err(text.to_owned())));
        assert_eq!(receiver.requests().len(), usize::from(expected.is_none()), "{expected:?}");
    }
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://receiver.example:{}/", plain.local_addr().unwrap().port());
    let answer = async {
        let (mut stream, _) = plain.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    };
    let (sent, _stream) = tokio::join!(send(&client, &url), answer);
    assert_eq!(sent.unwrap_err().reason.to_string(), "TLS failed: what it sent is not TLS");
}
