//! Which program needs which sections.

use rekey_core::organizations::PerOrganization;

use super::{
    Auth, Broker, ConfigError, Database, Keys, Limits, Mailer, MailingShop, Passwords, Relay, Server, Shop,
    Smtp, Source, Telemetry, TestMail, values::Values,
};

/// What `rekey-api` needs.
#[derive(Debug)]
pub struct ApiSettings {
    pub server: Server,
    pub auth: Auth,
    pub keys: Keys,
    pub database: Database,
    pub broker: Broker,
    pub relay: Relay,
    pub passwords: Passwords,
    pub limits: Limits,
    pub shops: PerOrganization<Shop>,
    pub telemetry: Telemetry,
}

impl ApiSettings {
    /// Reads, merges and checks.
    pub fn load(source: &Source) -> Result<Self, ConfigError> {
        let values = Values::load(source)?;
        Ok(Self {
            server: values.section()?,
            auth: values.section()?,
            keys: values.section()?,
            database: values.section()?,
            broker: values.section()?,
            relay: values.section()?,
            passwords: values.section()?,
            limits: values.section()?,
            shops: values.per_organization(Shop::read)?,
            telemetry: values.section()?,
        })
    }
}

/// What `rekey-mailer` needs.
#[derive(Debug)]
pub struct MailerSettings {
    pub server: Server,
    pub keys: Keys,
    pub database: Database,
    pub broker: Broker,
    pub shops: PerOrganization<MailingShop>,
    pub mailbox: TestMail,
    pub smtp: Smtp,
    pub mailer: Mailer,
    pub telemetry: Telemetry,
}

impl MailerSettings {
    /// Reads, merges and checks.
    pub fn load(source: &Source) -> Result<Self, ConfigError> {
        let values = Values::load(source)?;
        Ok(Self {
            server: values.section()?,
            keys: values.section()?,
            database: values.section()?,
            broker: values.section()?,
            shops: values.per_organization(MailingShop::read)?,
            mailbox: values.section()?,
            smtp: values.section()?,
            mailer: values.section()?,
            telemetry: values.section()?,
        })
    }
}

/// What `rekey dev` needs: API and mailer in one process, without database server, broker and SMTP relay.
#[derive(Debug)]
pub struct DevSettings {
    pub server: Server,
    pub auth: Auth,
    pub keys: Keys,
    pub relay: Relay,
    pub passwords: Passwords,
    pub limits: Limits,
    pub shops: PerOrganization<MailingShop>,
    pub mailer: Mailer,
    pub telemetry: Telemetry,
}

impl DevSettings {
    /// Reads, merges and checks. What production requires and the embedded mode makes itself (`server.public_url`,
    /// `auth.signing_key`, `keys.sealing`, `mail.from`) is given as [`Source::preset`].
    pub fn load(source: &Source) -> Result<Self, ConfigError> {
        let values = Values::load(source)?;
        Ok(Self {
            server: values.section()?,
            auth: values.section()?,
            keys: values.section()?,
            relay: values.section()?,
            passwords: values.section()?,
            limits: values.section()?,
            shops: values.per_organization(MailingShop::read)?,
            mailer: values.section()?,
            telemetry: values.section()?,
        })
    }
}

/// What `rekey mail` needs: no database, no broker, and of secrets only the keys that sign mails.
#[derive(Debug)]
pub struct MailSettings {
    pub shops: PerOrganization<MailingShop>,
}

impl MailSettings {
    /// Reads, merges and checks.
    pub fn load(source: &Source) -> Result<Self, ConfigError> {
        Ok(Self { shops: Values::load(source)?.per_organization(MailingShop::read)? })
    }
}

/// What the operator's commands need: `rekey migrate`, `rekey client`, `rekey organization`.
#[derive(Debug)]
pub struct ToolSettings {
    pub database: Database,
    pub telemetry: Telemetry,
}

impl ToolSettings {
    /// Reads, merges and checks.
    pub fn load(source: &Source) -> Result<Self, ConfigError> {
        let values = Values::load(source)?;
        Ok(Self { database: values.section()?, telemetry: values.section()? })
    }
}
