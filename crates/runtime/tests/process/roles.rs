//! The programs under test.

use std::{convert::Infallible, future::pending, io, process::ExitCode, thread, time::Duration};

use anyhow::Context;
use rekey_runtime::{
    config::{Configuration, Source, ToolSettings},
    lifecycle::{Signals, Tasks, run},
    telemetry,
};
use tracing::Instrument;

/// A secret that no log may contain.
pub const SECRET: &str = "hunter2-in-a-panic";
/// The trace that the role `traced` is called with (the example of the W3C recommendation).
pub const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

pub fn play(role: &str) -> ExitCode {
    let role = role.to_owned();
    run("rekey-role", async move {
        let settings: ToolSettings = Configuration::load(&Source::from_process()?)?.settings()?;
        let _guard = telemetry::init(&settings.telemetry, "rekey-role", None)?;
        match role.as_str() {
            "start" => Err(io::Error::other("no route\nto host")).context("can't reach the database"),
            "traced" => {
                traced().await;
                Ok(())
            }
            "busy" => {
                busy();
                Ok(())
            }
            other => serve(other).await,
        }
    })
}

/// Runs a steady task until it is stopped, and a task of this kind with it.
async fn serve(kind: &str) -> anyhow::Result<()> {
    let (mut tasks, signals) = (Tasks::new(), Signals::listen()?);
    let token = tasks.token();
    tasks.spawn("steady", async move {
        token.cancelled().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        println!("drained");
        Ok::<_, Infallible>(())
    });
    match kind {
        "steady" | "early" => {}
        "failing" => tasks.spawn("relay", async { Err(io::Error::other("no broker")) }),
        "exit" => tasks.spawn("relay", async { Ok::<_, Infallible>(()) }),
        "panicking" => tasks.spawn("relay", async { panic!("{SECRET}") as Result<(), Infallible> }),
        "stuck" | "stubborn" => tasks.spawn("relay", pending::<Result<(), Infallible>>()),
        other => anyhow::bail!("no such role: {other}"),
    }
    println!("ready");
    if kind == "early" {
        // Long enough for a signal to arrive before the program waits for one.
        thread::sleep(Duration::from_secs(1));
    }
    // Long enough for the steady task of a slow machine. The stubborn one is there to be stopped by a second signal, so its limit
    // must not come first.
    let limit = if kind == "stuck" { Duration::from_secs(5) } else { Duration::from_mins(10) };
    Ok(tasks.run_until_signal(signals, limit).await?)
}

/// One span with one log, in a trace that was started elsewhere, and what libraries log meanwhile.
async fn traced() {
    let span = tracing::info_span!("delivery", event = "e1");
    telemetry::set_parent(&span, "not a traceparent");
    telemetry::set_parent(&span, TRACEPARENT);
    let work = async {
        tracing::info!(reset = "r1", "handed over");
        tracing::trace!(target: "lapin::frames", "{SECRET}");
        tracing::debug!(target: "hyper_util::client", "of the exporter");
        telemetry::current_traceparent()
    };
    println!("{}", work.instrument(span).await.unwrap_or_else(|| "none".to_owned()));
}

/// More spans and logs than any queue holds.
fn busy() {
    for number in 0..20_000 {
        let _span = tracing::info_span!("work", number).entered();
        tracing::info!("done");
    }
}
