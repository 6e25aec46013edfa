//! The SMTP relays: connection, TLS, log-in, and a mail on request, all by the mailer's own transport.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use rekey_core::{
    clock::{Clock, SystemClock},
    email::EmailAddress,
    ids::EventId,
    organizations::Slug,
    random::{OsRandom, RandomSource},
};
use rekey_mailer::{
    bounces::{ProviderHeader, name_delivery},
    dkim::Signer,
    message::compose,
    render::Renderer,
    transport::{Accepted, SmtpTransport, Transport, UsableRelay},
};
use rekey_runtime::config::{Bounces, Configuration, Keys, Smtp, SmtpRelayConfig, SmtpTls};
use rekey_texts::{Language, Texts};
use serde::Deserialize;

use super::{TIMEOUT, finding::Finding, settings};

const CHECK: &str = "relays.connection";
const TEST_MAIL: &str = "relays.test_mail";
/// The name of the shop in a test mail.
const TEST_SHOP: &str = "a test of rekey doctor";
const DAY: Duration = Duration::from_hours(24);
/// How long a certificate is valid at least, without a warning: as in the alert `RekeyRelayCertificateExpires`.
const MIN_CERTIFICATE_TTL: Duration = Duration::from_hours(14 * 24);

#[derive(Deserialize)]
struct Sections {
    smtp: Smtp,
}

#[derive(Deserialize)]
struct MailSections {
    smtp: Smtp,
    keys: Keys,
    bounces: Bounces,
}

/// Checks each relay.
pub async fn check(configuration: &Configuration) -> Vec<Finding> {
    match settings(configuration, CHECK) {
        Ok(Sections { smtp }) => join_all(smtp.relays.iter().map(|relay| check_relay(relay, &smtp))).await,
        Err(skipped) => vec![skipped],
    }
}

async fn check_relay(relay: &SmtpRelayConfig, smtp: &Smtp) -> Finding {
    let only = Smtp { relays: vec![relay.clone()], ..smtp.clone() };
    let transport = match transport(&only) {
        Ok(transport) => transport,
        Err(error) => {
            return Finding::fail(
                CHECK,
                format!("{relay}: {error:#}"),
                "correct smtp.ca_file or smtp.relays",
            );
        }
    };
    match transport.probe(TIMEOUT).await.pop() {
        Some(Ok(usable)) => describe(relay, &usable),
        Some(Err(problem)) => Finding::fail(CHECK, format!("{relay}: {}", problem.reason), problem.advice),
        None => Finding::skipped(CHECK, format!("{relay} was not tried")),
    }
}

fn describe(relay: &SmtpRelayConfig, usable: &UsableRelay) -> Finding {
    let login = if relay.login.is_some() { "logged in" } else { "without a log-in" };
    let tls = match relay.tls {
        SmtpTls::StartTls => "STARTTLS",
        SmtpTls::Implicit => "TLS",
        SmtpTls::None if relay.is_this_machine() => "not encrypted",
        SmtpTls::None => {
            let found = format!("{relay}: not encrypted, {login}: whoever is in between can use the links");
            return Finding::warn(
                CHECK,
                found,
                "remove tls=none from smtp.relays, unless that network is trusted",
            );
        }
    };
    let Some(ttl) = usable.certificate_ttl else {
        return Finding::ok(CHECK, format!("{relay}: {tls}, {login}"));
    };
    let days = ttl.as_secs() / DAY.as_secs();
    let found = format!("{relay}: {tls}, {login}, its certificate is valid for {days} days");
    if ttl < MIN_CERTIFICATE_TTL {
        return Finding::warn(
            CHECK,
            found,
            "renew it, or remind the relay's operator: docs/runbooks/relay-refuses.md",
        );
    }
    Finding::ok(CHECK, found)
}

/// Renders, signs and sends a mail as the mailer does, and shows the relay's reply.
pub async fn send_test_mail(
    configuration: &Configuration,
    organization: Option<&Slug>,
    recipient: &EmailAddress,
) -> Finding {
    match send(configuration, organization, recipient).await {
        Ok((accepted, signature)) => {
            Finding::ok(TEST_MAIL, format!("{} took it, {signature}: {}", accepted.relay, accepted.response))
        }
        Err(error) => Finding::fail(
            TEST_MAIL,
            format!("not sent: {error:#}"),
            "do what docs/runbooks/relay-refuses.md says for this reply",
        ),
    }
}

async fn send(
    configuration: &Configuration,
    organization: Option<&Slug>,
    recipient: &EmailAddress,
) -> anyhow::Result<(Accepted, &'static str)> {
    let MailSections { smtp, keys, bounces } = configuration.settings()?;
    let organizations = configuration.organization_mail_settings()?;
    let own = organization.map_or(organizations.default_value(), |slug| organizations.get(slug));
    let texts = Texts::built_in(Language::English)?;
    let renderer = Renderer::for_organization(&texts, &own.organization)?;
    let language = Language::for_locale(&own.organization.languages.default).unwrap_or(Language::English);
    let samples = renderer.samples(language, TEST_SHOP)?;
    let (_, sample) = samples.first().ok_or_else(|| anyhow::anyhow!("there are no mails"))?;
    let event = EventId::generate(&OsRandom);
    let mut mail = compose(event, &own.mail, recipient, sample, SystemClock.now())?;
    let headers = ProviderHeader::for_settings(&bounces);
    name_delivery(&mut mail, event, own.mail.bounce_domain.as_deref(), &headers, &keys.sealing)?;
    let (mail, signature) = match Signer::new(&own.dkim)? {
        Some(signer) => (signer.sign(mail).await?, "signed"),
        None => (mail, "not signed"),
    };
    let transport = transport(&smtp)?;
    let sent = transport.send(&mail).await;
    transport.close().await;
    Ok((sent?, signature))
}

fn transport(smtp: &Smtp) -> anyhow::Result<SmtpTransport> {
    let random: Arc<dyn RandomSource> = Arc::new(OsRandom);
    Ok(SmtpTransport::new(smtp, &random)?)
}
