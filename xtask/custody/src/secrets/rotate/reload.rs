//! A service that reads a new certificate while it runs: told by a signal or by a command, and healthy afterwards.

use std::time::{Duration, Instant};

use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine as client;
use crate::docker::run::exec;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::launch;
use crate::stack::certs::Reload;

/// How long a service may take to read its certificate before its health is asked for, and between two questions.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a command that reloads may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Has a service read its certificate again, and asks its health check, now and not when the engine would.
///
/// # Errors
/// It cannot be told; it has ended; its health check does not pass until the deadline.
pub fn reload(ctx: &Context, container: &Container, how: &Reload, deadline: Duration) -> Result<()> {
    let service = container.service();
    match &how.signal {
        Some(signal) => drop(ctx.runner.read(Call::new(client::signal(&container.id, signal)))?),
        None => drop(ctx.runner.read(Call::new(exec(&container.id, &how.run)).deadline(PATIENCE))?),
    }
    let until = Instant::now() + deadline;
    loop {
        ctx.runner.cancel().sleep(PAUSE)?;
        let now = launch::inspect(ctx, std::slice::from_ref(&container.id))?;
        if !now.first().is_some_and(|now| now.state.running && now.state.pid == container.state.pid) {
            return Err(Error::failed(format!("`{service}` ended when it was to read its new certificate"))
                .help("`reload` of its `x-xtask.certs` must not end it; without `reload` it is started again"));
        }
        let Some(check) = health(container) else { return Ok(()) };
        let finished = ctx.runner.finish(Call::new(exec(&container.id, &check)).deadline(PATIENCE))?;
        if finished.ok() {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(Error::failed(format!("`{service}` is not healthy with its new certificate"))
                .evidence("its health check said", finished.stderr));
        }
    }
}

/// The command of a container's health check; none if nothing checks it.
fn health(container: &Container) -> Option<Vec<String>> {
    let test = container.config.healthcheck.as_ref()?.test.as_ref()?;
    match test.split_first()? {
        (kind, words) if kind == "CMD" => Some(words.to_vec()),
        (kind, words) if kind == "CMD-SHELL" => Some([vec!["/bin/sh".to_owned(), "-c".to_owned()], words.to_vec()].concat()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::container::{Config, HealthConfig};

    #[test]
    fn a_health_check_is_asked_as_the_engine_asks_it() {
        let of = |test: &[&str]| {
            let test = Some(test.iter().map(|word| (*word).to_owned()).collect());
            let config = Config { healthcheck: Some(HealthConfig { test, ..HealthConfig::default() }), ..Config::default() };
            health(&Container { config, ..Container::default() }).map(|words| words.join("|"))
        };
        assert_eq!(of(&["CMD", "a", "b c"]).as_deref(), Some("a|b c"));
        assert_eq!(of(&["CMD-SHELL", "a && b"]).as_deref(), Some("/bin/sh|-c|a && b"));
        assert_eq!((of(&["NONE"]), of(&[])), (None, None));
    }
}
