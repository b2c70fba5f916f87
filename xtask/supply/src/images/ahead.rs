//! What all stand-ins are made from, a minimal Debian, assembled while the engine that is to hold it is still being installed: the two
//! do not need each other, and each leaves a core idle.

use std::collections::BTreeSet;
use std::time::Duration;

use tempfile::TempDir;

use super::make::{PATIENCE, laid_out};
use crate::context::Context;
use crate::error::Result;
use crate::exec::{Call, Standby};
use crate::provision;
use crate::registry::endpoint::HUB;

/// The program that assembles it.
const PROGRAM: &str = "mmdebstrap";

/// The packages that bring it, and the keys that it knows Debian by.
const PACKAGES: [&str; 2] = [PROGRAM, "debian-archive-keyring"];

/// How long looking up the registry's name may take.
const ANSWER: Duration = Duration::from_secs(2);

/// Variables that lead to registries by a way that only the engine knows.
const PROXIES: [&str; 2] = ["https_proxy", "HTTPS_PROXY"];

/// A minimal Debian that is being assembled. It ends when this is dropped, and leaves nothing.
#[derive(Debug)]
pub struct Ahead {
    script: Standby,
    _folder: TempDir,
}

/// Begins where stand-ins will be needed: where nobody knows the registry that images come from. Only an engine could tell more; where
/// this is wrong, some seconds are lost, and nothing else.
///
/// # Errors
/// The program that assembles it cannot be installed; an interrupt.
pub fn begin(ctx: &Context) -> Result<Option<Ahead>> {
    if PROXIES.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) || is_known(ctx, HUB.1)? {
        return Ok(None);
    }
    if ctx.runner.locate(PROGRAM).is_err() {
        // The engine's installation says what it takes.
        if !provision::is_root() {
            return Ok(None);
        }
        provision::packages(ctx, &BTreeSet::from(PACKAGES))?;
    }
    let (folder, script) = laid_out()?;
    ctx.ui.step("stand-in", format!("nobody knows {}: a minimal Debian is assembled meanwhile", HUB.0));
    let script = ctx.runner.stand_by(Call::new(["sh", script.as_str(), "base"]).deadline(PATIENCE))?;
    Ok(Some(Ahead { script, _folder: folder }))
}

impl Ahead {
    /// Gives it to the engine, which is there now. Where it could not be made, whoever needs it tries again.
    ///
    /// # Errors
    /// An interrupt.
    pub fn finish(self, ctx: &Context) -> Result<()> {
        let timer = ctx.ui.timer("stand-in");
        timer.set_message("a minimal Debian");
        let finished = ctx.runner.tell(self.script, b"there is an engine\n", &mut |_| ());
        timer.finish_and_clear();
        let finished = finished?;
        if !finished.ok() {
            let why = finished.stderr.last().map_or("it ended without a word", |line| line.trim_start_matches("error: "));
            ctx.ui.warn(format!("no minimal Debian was made ahead: {why}"));
        }
        Ok(())
    }
}

/// Whether a name leads anywhere. A name server that is silent knows nothing.
fn is_known(ctx: &Context, host: &str) -> Result<bool> {
    let found = ctx.runner.finish(Call::new(["getent", "hosts", host]).deadline(ANSWER));
    ctx.runner.cancel().check()?;
    Ok(found.is_ok_and(|finished| finished.ok()))
}
