//! Mails to organizations about webhooks' circuits that opened: plain text in English, as all that operators read.

use std::{fmt::Write, time::Duration as StdDuration};

use backon::Retryable;
use rekey_core::{
    email::EmailAddress,
    error::{StoreError, chain},
    events::bus::{Capacity, Handler},
    name::visible,
    webhooks::{
        KEEP_CALLBACKS, MAX_FAILURES,
        circuit_mails::{CircuitMails, OpenCircuit},
    },
};
use rekey_runtime::config::Support;
use time::{Duration, macros::format_description};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    handler::{
        MailHandler,
        schedule::{SETTLE_TIMEOUT, settle_pauses},
    },
    message::{Mail, compose_text},
    metrics,
    transport::{Accepted, SendError, SendErrorKind},
    writer::{WriteError, Writer},
};

/// How often to look for circuits that opened.
const INTERVAL: StdDuration = StdDuration::from_secs(10);
/// When a mail that was not accepted is tried again at the earliest: unlike a link, it is not urgent.
const RETRY_AFTER: Duration = Duration::minutes(5);
/// The name of this mail among the metrics.
const NAME: &str = "circuit_opened";

impl MailHandler {
    /// Sends the mails about circuits that opened, until `stop` is cancelled and the mail on its way is settled.
    pub async fn run_circuit_mails(&self, circuits: &dyn CircuitMails, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(INTERVAL)).await.is_some() {
            self.mail_circuits(circuits, &stop).await;
        }
    }

    /// Sends the mails that are due, one after the other.
    pub async fn mail_circuits(&self, circuits: &dyn CircuitMails, stop: &CancellationToken) {
        while !stop.is_cancelled()
            && self.capacity() != Capacity::None
            && self.mail_next_circuit(circuits).await
        {}
    }

    /// Sends the mail that has been due longest. Returns whether there was one.
    async fn mail_next_circuit(&self, circuits: &dyn CircuitMails) -> bool {
        let circuit = match circuits.claim_circuit_mail(self.lease).await {
            Ok(Some(circuit)) => circuit,
            Ok(None) => return false,
            Err(error) => {
                tracing::warn!(cause = chain(&error), "can't look for circuits that opened");
                return false;
            }
        };
        let span = tracing::info_span!(
            "circuit mail",
            webhook = %circuit.webhook,
            organization = %circuit.scope.organization,
            mode = circuit.scope.mode.as_str(),
        );
        async {
            let (outcome, retry_after) = self.mail_circuit(&circuit).await;
            metrics::count_outcome(NAME, circuit.scope.mode, outcome);
            let settled = (|| circuits.settle_circuit_mail(circuit.webhook, circuit.opened_at, retry_after))
                .retry(settle_pauses().with_total_delay(Some(SETTLE_TIMEOUT)))
                .when(|error| matches!(error, StoreError::Unavailable(_)))
                .await;
            if let Err(error) = settled {
                tracing::warn!(
                    cause = chain(&error),
                    "an outcome can't be recorded, so the mail is sent again"
                );
            }
        }
        .instrument(span)
        .await;
        true
    }

    /// Makes one attempt at a mail. Returns its outcome, and when another one follows.
    async fn mail_circuit(&self, circuit: &OpenCircuit) -> (&'static str, Option<Duration>) {
        let writer = self.writer.load_full();
        let (Some(transport), Some(recipient)) =
            (self.router.transport(circuit.scope.mode), writer.support(circuit))
        else {
            tracing::error!(
                slug = circuit.slug.as_str(),
                "a webhook's circuit is open, and nobody gets a mail: expected an e-mail address in brand.support, and for test mode a folder in mailbox.directory"
            );
            return ("failed", None);
        };
        let mail = match writer.write_about_circuit(circuit, &recipient).await {
            Ok(mail) => mail,
            Err(error) => {
                tracing::error!(%error, "the mail about an open circuit can't be written");
                return ("deferred", Some(RETRY_AFTER));
            }
        };
        let SendError { kind, reason, .. } = match transport.send(&mail).await {
            Ok(Accepted { response, .. }) => {
                tracing::info!(response, "handed over");
                return ("sent", None);
            }
            Err(error) => error,
        };
        match kind {
            SendErrorKind::BadAddress => {
                tracing::error!(
                    reason,
                    "the address in brand.support can't be mailed that a circuit is open"
                );
                ("bounced", None)
            }
            // The Message-ID stays the same.
            SendErrorKind::InDoubt => {
                tracing::warn!(reason, "the mail about an open circuit may be sent twice");
                ("in_doubt", Some(RETRY_AFTER))
            }
            SendErrorKind::Transient | SendErrorKind::Refused | SendErrorKind::Unavailable => {
                tracing::warn!(reason, "the mail about an open circuit will be tried again");
                ("deferred", Some(RETRY_AFTER))
            }
        }
    }
}

impl Writer {
    /// Returns the address that is mailed about an organization's circuits.
    fn support(&self, circuit: &OpenCircuit) -> Option<EmailAddress> {
        match &self.organizations.get(&circuit.slug).organization.brand.support {
            Some(Support::Email(address)) => address.parse().ok(),
            Some(Support::Page(_)) | None => None,
        }
    }

    /// Writes the mail about an open circuit. Written again, it has the same Message-ID.
    async fn write_about_circuit(
        &self,
        circuit: &OpenCircuit,
        recipient: &EmailAddress,
    ) -> Result<Mail, WriteError> {
        let sender = &self.organizations.get(&circuit.slug).mail;
        let id = format!("{}-{}", circuit.webhook, circuit.opened_at.unix_timestamp());
        let subject = format!("Webhook \"{}\": its circuit is open", visible(&circuit.name));
        let mail = compose_text(id, sender, recipient, &subject, text(circuit), self.clock.now())?;
        match self.signers.get(&circuit.slug) {
            Some(signer) => Ok(signer.sign(mail).await?),
            None => Ok(mail),
        }
    }
}

/// What the mail says.
fn text(circuit: &OpenCircuit) -> String {
    let OpenCircuit { webhook, scope, slug, topic, callback_url, failure_count, cause, .. } = circuit;
    // An attempt that was under way may have succeeded since.
    let failure_count = (*failure_count).max(MAX_FAILURES);
    let name = visible(&circuit.name);
    let minute = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let opened = circuit.opened_at.format(minute).unwrap_or_default();
    let arguments = format!("{webhook} --organization {slug} --mode {}", scope.mode.as_str());
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = write!(
        text,
        "{failure_count} attempts in a row to deliver events to the webhook \"{name}\"\n\
         failed, so no more are made: its circuit is open.\n\n\
         Webhook:     {webhook}\n\
         Topic:       {}\n\
         Receiver:    {}\n\
         Last answer: {}\n\
         Open since:  {opened}\n\n\
         No event is lost: they are recorded, and wait for up to {} days.\n\n\
         See what the receiver answered:\n\n  rekey webhook show {arguments}\n\n\
         When it is repaired, send what waits:\n\n  rekey webhook reset-circuit {arguments}\n\n\
         Or send PATCH /api/webhooks/{webhook} with \"_reset_circuit\": true.\n\n\
         There is one mail each time that the circuit opens.\n",
        topic.as_str(),
        callback_url.host(),
        visible(cause),
        KEEP_CALLBACKS.whole_days(),
    );
    text
}
