//! The DNS records of senders: SPF, MX, the DKIM key and DMARC.

mod records;

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use futures_util::future::{BoxFuture, FutureExt, join_all};
use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::{RData, RecordType},
};
use rekey_core::email::EmailAddress;
use rekey_mailer::dkim::{DnsRecord, Signer};
use rekey_runtime::config::{Configuration, OrganizationMailSettings};
use tokio::time::timeout;

use super::{TIMEOUT, finding::Finding, not_configured};

const CHECK: &str = "dns";
const DNS_PORT: u16 = 53;

/// The name that DNS did not answer for, or answered with an error.
struct NoAnswer(String);

type Answer<'a> = BoxFuture<'a, Result<Finding, NoAnswer>>;

/// What is looked up: each once, though organizations may share it.
#[derive(Default)]
struct Senders {
    /// The domains that readers see, in `From`.
    visible: BTreeSet<String>,
    /// The domains of envelopes: where bounces go, and the ones with the SPF record that receivers check.
    envelopes: BTreeSet<String>,
    /// The names and values of the DKIM keys.
    keys: BTreeSet<(String, String)>,
    /// Visible domains without a signature.
    unsigned: BTreeSet<String>,
}

/// Parses `--dns-server`.
pub fn server_address(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, DNS_PORT)));
    address.map_err(|_| "expected an IP address, or one with a port".to_owned())
}

/// Checks the records of all senders. If DNS does not answer, that is one finding.
pub async fn check(configuration: &Configuration, server: Option<SocketAddr>) -> Vec<Finding> {
    let settings = match configuration.organization_mail_settings() {
        Ok(settings) => settings,
        Err(error) => return vec![not_configured(CHECK, &error)],
    };
    let senders = Senders::new(settings.values());
    let dns = match Dns::new(server) {
        Ok(dns) => dns,
        Err(error) => return vec![unanswered(&error.to_string())],
    };
    let (mut findings, mut silent) = (Vec::new(), Vec::new());
    for answer in join_all(dns.look_ups(&senders)).await {
        match answer {
            Ok(finding) => findings.push(finding),
            Err(NoAnswer(name)) => silent.push(name),
        }
    }
    if !silent.is_empty() {
        findings.push(unanswered(&format!("no answer for {}", silent.join(", "))));
    }
    findings.extend(senders.unsigned.iter().map(|domain| records::unsigned(domain)));
    findings
}

fn unanswered(found: &str) -> Finding {
    Finding::warn(
        CHECK,
        found,
        "check /etc/resolv.conf, or name a server by --dns-server; in a container, run it where DNS can be asked",
    )
}

impl Senders {
    fn new<'a>(organizations: impl Iterator<Item = &'a OrganizationMailSettings>) -> Self {
        let mut senders = Self::default();
        for OrganizationMailSettings { mail, dkim, .. } in organizations {
            let visible = domain(&mail.from.address);
            senders.envelopes.insert(mail.envelope_from.as_ref().map_or(visible.clone(), domain));
            match Signer::new(dkim) {
                Ok(Some(signer)) => {
                    let DnsRecord { name, text } = signer.record();
                    senders.keys.insert((name, text));
                }
                Ok(None) => {
                    senders.unsigned.insert(visible.clone());
                }
                // The check of the configuration names a key that can't be used.
                Err(_) => {}
            }
            senders.visible.insert(visible);
        }
        senders
    }
}

fn domain(address: &EmailAddress) -> String {
    let (_, domain) = address.as_str().rsplit_once('@').unwrap_or_default();
    domain.to_owned()
}

/// A resolver. Names are asked for as they are, without search domains.
struct Dns(TokioResolver);

impl Dns {
    fn new(server: Option<SocketAddr>) -> Result<Self, NetError> {
        let mut builder = match server {
            None => TokioResolver::builder_tokio()?,
            Some(server) => {
                let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
                for connection in &mut name_server.connections {
                    connection.port = server.port();
                }
                let config = ResolverConfig::from_name_servers(vec![name_server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        builder.options_mut().timeout = TIMEOUT / 2;
        builder.options_mut().attempts = 1;
        Ok(Self(builder.build()?))
    }

    fn look_ups<'a>(&'a self, senders: &'a Senders) -> Vec<Answer<'a>> {
        let envelopes = senders.envelopes.iter();
        let envelopes = envelopes.flat_map(|domain| [self.spf(domain).boxed(), self.mx(domain).boxed()]);
        let keys = senders.keys.iter().map(|(name, text)| self.dkim(name, text).boxed());
        let visible = senders.visible.iter().map(|domain| self.dmarc(domain).boxed());
        envelopes.chain(keys).chain(visible).collect()
    }

    async fn spf(&self, domain: &str) -> Result<Finding, NoAnswer> {
        Ok(records::spf(domain, &self.txt(domain).await?))
    }

    /// Mails to a domain without MX records go to its address (RFC 5321 §5.1).
    async fn mx(&self, domain: &str) -> Result<Finding, NoAnswer> {
        let hosts = self.look_up(domain, RecordType::MX).await?;
        let has_address = hosts.is_empty()
            && (!self.look_up(domain, RecordType::A).await?.is_empty()
                || !self.look_up(domain, RecordType::AAAA).await?.is_empty());
        let name = |host: &RData| if let RData::MX(mx) = host { Some(mx.exchange.to_ascii()) } else { None };
        let hosts: Vec<_> = hosts.iter().filter_map(name).collect();
        Ok(records::mx(domain, &hosts, has_address))
    }

    async fn dkim(&self, name: &str, own: &str) -> Result<Finding, NoAnswer> {
        Ok(records::dkim(name, &self.txt(name).await?, own))
    }

    /// Looks at the domain, then at those above it.
    async fn dmarc(&self, domain: &str) -> Result<Finding, NoAnswer> {
        let mut parent = Some(domain).filter(|domain| domain.contains('.'));
        while let Some(asked) = parent {
            let found = self.txt(&format!("_dmarc.{asked}")).await?;
            if let Some(finding) = records::dmarc(asked, &found) {
                return Ok(finding);
            }
            parent = asked.split_once('.').map(|(_, above)| above).filter(|above| above.contains('.'));
        }
        Ok(records::no_dmarc(domain))
    }

    async fn txt(&self, name: &str) -> Result<Vec<String>, NoAnswer> {
        let texts = self.look_up(name, RecordType::TXT).await?;
        // The strings of a record are one text (RFC 7208 §3.3, RFC 6376 §3.6.2.2).
        let join = |text: &RData| match text {
            RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
            _ => None,
        };
        Ok(texts.iter().filter_map(join).collect())
    }

    async fn look_up(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, NoAnswer> {
        match timeout(TIMEOUT, self.0.lookup(format!("{name}."), kind)).await {
            Ok(Ok(found)) => {
                let answers = found.answers().iter().map(|record| &record.data);
                Ok(answers.filter(|data| data.record_type() == kind).cloned().collect())
            }
            Ok(Err(error)) if error.is_no_records_found() => Ok(Vec::new()),
            Ok(Err(_)) | Err(_) => Err(NoAnswer(name.to_owned())),
        }
    }
}
