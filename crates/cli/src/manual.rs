//! `rekey completions` and `rekey man`: what shells and `man` read.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use crate::{
    Cli,
    output::{self, Output},
};

/// The arguments of `rekey completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

/// The arguments of `rekey man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The folder to write to. It is created if needed; pages that are there are replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Prints the script that completes `rekey` in a shell.
pub fn completions(options: &Completions) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "rekey", &mut script);
    output::print(&String::from_utf8(script)?)
}

/// Writes a page for each command.
pub fn man(options: &Man, output: Output) -> anyhow::Result<()> {
    let folder = options.out.display();
    fs::create_dir_all(&options.out).with_context(|| format!("{folder} can't be created"))?;
    clap_mangen::generate_to(Cli::command(), &options.out)
        .with_context(|| format!("{folder} can't be written"))?;
    output.record(&json!({ "directory": options.out }), &format!("{folder}\n"))
}
