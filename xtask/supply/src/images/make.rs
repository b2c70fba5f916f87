//! Making stand-ins: the script and its files are laid out in a temporary folder and run; here is their story.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use indicatif::ProgressBar;
use tempfile::TempDir;

use crate::context::Context;
use crate::docker::stand_in::{FILES, Family, SCRIPT, Said, said};
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::provision::refused;
use crate::stack::ImageRef;

/// How long all stand-ins together may take.
pub const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// Makes a stand-in of a family for each reference, all at once.
///
/// # Errors
/// What the script cannot do, with its remedy.
pub fn stand_ins(ctx: &Context, requests: &[(&Family, &ImageRef)]) -> Result<()> {
    let (_folder, script) = laid_out()?;
    let wanted = requests.iter().map(|(family, image)| format!("{}={image}", family.target));
    let argv = ["sh".to_owned(), script.into_string()].into_iter().chain(wanted);
    let call = Call::new(argv).env("STAND_IN_PROGRESS", "plain").deadline(PATIENCE);
    let timers: Vec<ProgressBar> = requests.iter().map(|(_, image)| timer(ctx, image)).collect();
    let finished = ctx.runner.stream(call, &mut |line| match said(&line.text) {
        Some(Said::Step(step)) => ctx.ui.step("stand-in", step),
        Some(Said::Building(index, instruction)) if index < requests.len() => {
            timers[index].set_message(format!("{} · {instruction}", requests[index].1));
        }
        Some(Said::Image(image, carries)) => ctx.ui.step("stand-in", format!("{image} carries {carries}")),
        _ => {}
    });
    timers.iter().for_each(ProgressBar::finish_and_clear);
    let finished = finished?;
    if !finished.ok() {
        return Err(refused(ctx, "the making of stand-ins", &finished));
    }
    for (family, image) in requests {
        ctx.ui.more(format!("{} has not: {}", image, family.limits));
    }
    Ok(())
}

fn timer(ctx: &Context, image: &ImageRef) -> ProgressBar {
    let timer = ctx.ui.timer("stand-in");
    timer.set_message(image.to_string());
    timer
}

/// Lays the files out; gives the folder, which goes away with its owner, and the script in it.
///
/// # Errors
/// The folder cannot be made or written to.
pub fn laid_out() -> Result<(TempDir, Utf8PathBuf)> {
    let folder = TempDir::new().map_err(|error| Error::cannot(format!("cannot make a temporary folder: {error}")))?;
    let path = Utf8Path::from_path(folder.path()).ok_or_else(|| Error::cannot("the temporary folder's path is not UTF-8"))?;
    lay_out(path).map_err(|error| Error::cannot(format!("cannot write to `{path}`: {error}")))?;
    let script = path.join(SCRIPT);
    Ok((folder, script))
}

/// Writes the files. All may be executed, as those that get into images must.
fn lay_out(folder: &Utf8Path) -> std::io::Result<()> {
    for (name, text) in FILES {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
