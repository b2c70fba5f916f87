//! Entry point: reads the command line and the environment, then hands over. No behaviour of its own lives here.

mod app;
mod cache;
mod cipher;
mod cli;
mod clock;
mod config;
mod error;
mod events;
mod health;
mod healthcheck;
mod http;
mod logging;
mod metrics;
mod process;
mod redis;
mod serve;
mod signals;
mod store;
mod token;

use std::{env, future::Future, process::ExitCode};

use crate::{
    cli::Command,
    config::{Environment, HealthcheckConfig, MigrateConfig, ServeConfig},
    error::Failure,
};

fn main() -> ExitCode {
    let outcome = cli::parse(env::args().skip(1)).and_then(|command| match command {
        Command::Serve => {
            ServeConfig::read(&Environment::process()).and_then(|config| run(&config.logging.clone(), serve::run(config)))
        }
        Command::Migrate => MigrateConfig::read(&Environment::process())
            .and_then(|config| run(&config.logging, store::migrate::run(&config.database))),
        Command::Healthcheck { target } => {
            HealthcheckConfig::read(&Environment::process()).and_then(|config| healthcheck::run(&config, target.as_deref()))
        }
        Command::Help => cli::print(cli::HELP),
        Command::Version => cli::print(concat!("backend ", env!("CARGO_PKG_VERSION"), "\n")),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Starts logging and an async runtime, and runs `work` to its end.
fn run(logging: &config::LogConfig, work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    logging::start(logging);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::logged(format!("cannot start the async runtime: {error}")))?;
    let outcome = runtime.block_on(work);
    // A name lookup may still block one of the runtime's threads: nobody needs its answer any more.
    runtime.shutdown_background();
    outcome
}
