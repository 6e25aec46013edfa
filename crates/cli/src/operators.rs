//! `rekey operator`: who may sign in to the console.

use std::{num::NonZeroUsize, sync::Arc};

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use rekey_core::{
    error::CreateError,
    ids::OrganizationId,
    operators::{Operator, OperatorName, OperatorRole, OperatorStore, generate_password},
    passwords::{Hasher, HasherConfig, PasswordHash, PlainPassword},
    random::OsRandom,
};
use rekey_runtime::config::{Configuration, OperatorSettings, Source};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    operator,
    output::{NothingFound, Output, Row, timestamp},
};

/// The commands on operators.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Create an operator. The password is printed once and can't be shown again.
    Create {
        /// The unique name: 1 to 32 of a-z, 0-9, ".", "_" and "-". It is in audit entries.
        name: OperatorName,
        #[command(flatten)]
        role: Role,
    },
    /// List all operators.
    List,
    /// Change what an operator may do. Their sessions end.
    Update {
        /// The operator's name.
        name: OperatorName,
        #[command(flatten)]
        role: Role,
    },
    /// Give an operator a new password, which is printed once. Their sessions end.
    ResetPassword {
        /// The operator's name.
        name: OperatorName,
    },
    /// Delete an operator. Their sessions end; their audit entries stay.
    Delete {
        /// The operator's name.
        name: OperatorName,
    },
}

/// What an operator may do.
#[derive(Debug, Args)]
pub struct Role {
    /// `read`: look at everything; `act`: also resend mails, replay dead letters and lift suppressions.
    #[arg(long, value_parser = role())]
    role: OperatorRole,
}

/// Runs a command on the production database.
pub async fn run(command: OperatorCommand, source: &Source, output: Output) -> anyhow::Result<()> {
    let store = operator::connect(source).await?;
    match command {
        OperatorCommand::Create { name, role: Role { role } } => {
            let (password, hash) = new_password(source).await?;
            store.create_operator(name, role, &hash).await.map_err(|error| match error {
                CreateError::Taken => anyhow::anyhow!("the name {name} is taken"),
                CreateError::Store(error) => error.into(),
            })?;
            print_password(name, &password, output)
        }
        OperatorCommand::List => {
            let operators = store.operators().await?;
            output.list(&operators.iter().map(OperatorRow::from).collect::<Vec<_>>())
        }
        OperatorCommand::Update { name, role: Role { role } } => {
            known(name, store.update_operator_role(name, role).await?)?;
            output.record(&json!({ "name": name.as_str(), "role": role.as_str() }), "Updated.\n")
        }
        OperatorCommand::ResetPassword { name } => {
            let (password, hash) = new_password(source).await?;
            known(name, store.replace_operator_password(name, &hash).await?)?;
            print_password(name, &password, output)
        }
        OperatorCommand::Delete { name } => {
            known(name, store.delete_operator(name).await?)?;
            output.record(&json!({ "name": name.as_str(), "state": "deleted" }), "Deleted.\n")
        }
    }
}

fn known(name: OperatorName, is_known: bool) -> anyhow::Result<()> {
    if is_known { Ok(()) } else { Err(NothingFound(format!("no operator has the name {name}")).into()) }
}

/// Generates a password, and hashes it as those of customers.
async fn new_password(source: &Source) -> anyhow::Result<(Zeroizing<String>, PasswordHash)> {
    let OperatorSettings { passwords } = Configuration::load(source)?.settings()?;
    let config = HasherConfig { threads: NonZeroUsize::MIN, ..passwords.hasher };
    let hasher = Hasher::start(config, Arc::new(OsRandom))?;
    let password = generate_password(&OsRandom);
    let plain = PlainPassword::parse(password.to_string())?;
    let hash = hasher.rehash(OrganizationId::generate(&OsRandom), plain).await?;
    Ok((password, hash))
}

fn print_password(name: OperatorName, password: &str, output: Output) -> anyhow::Result<()> {
    let json = json!({ "name": name.as_str(), "password": password });
    output.record(&json, &format!("NAME={name}\nPASSWORD={password}\n"))
}

fn role() -> impl TypedValueParser<Value = OperatorRole> {
    PossibleValuesParser::new(["read", "act"])
        .try_map(|role| OperatorRole::parse(&role).ok_or("unknown role"))
}

/// An operator as it is printed.
#[derive(Serialize)]
struct OperatorRow<'a> {
    name: &'a str,
    role: &'static str,
    created_at: String,
}

impl<'a> From<&'a Operator> for OperatorRow<'a> {
    fn from(Operator { name, role, created_at }: &'a Operator) -> Self {
        Self { name: name.as_str(), role: role.as_str(), created_at: timestamp(*created_at) }
    }
}

impl Row for OperatorRow<'_> {
    const COLUMNS: &'static [&'static str] = &["NAME", "ROLE", "CREATED"];

    fn cells(&self) -> Vec<String> {
        vec![self.name.to_owned(), self.role.to_owned(), self.created_at.clone()]
    }
}
