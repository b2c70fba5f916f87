//! The time in which `size` tells what is in an image, against `docker save` of the same image to nowhere; and the memory it takes.
//! The images are made for the purpose: one, five and ten gigabytes, and a million files.

use std::io::BufWriter;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::statvfs;

use super::bulk;
use super::sample::{Comparison, Side, ratio};
use crate::cli::SizeArgs;
use crate::context::Context;
use crate::docker::image;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::stack::Bytes;
use crate::tasks::{engine, size};

/// The repository of the images.
const REPOSITORY: &str = "xtask-bench/size";

/// An image that is made and measured.
struct Subject {
    bench: &'static str,
    tag: &'static str,
    content: Content,
    goal: &'static str,
}

#[derive(Clone, Copy)]
enum Content {
    Bytes(u64),
    Files(u64),
}

const SUBJECTS: [Subject; 4] = [
    Subject { bench: "size 1 GB", tag: "1gb", content: Content::Bytes(1_000_000_000), goal: "≤ 1.15, < 100 MB" },
    Subject { bench: "size 5 GB", tag: "5gb", content: Content::Bytes(5_000_000_000), goal: "≤ 1.15, < 100 MB" },
    Subject { bench: "size 10 GB", tag: "10gb", content: Content::Bytes(10_000_000_000), goal: "≤ 1.15, < 100 MB" },
    Subject { bench: "size 1M files", tag: "files", content: Content::Files(1_000_000), goal: "≤ 1.5, < 400 MB" },
];

/// The engine keeps an image while it writes it out, the archive it was made from lies beside it.
const COPIES: u64 = 3;

/// Bytes on disk of a small file and its entry in an archive.
const SMALL: u64 = 5_000;

/// Makes each image, measures both sides in turns, and removes it again.
pub fn compare(ctx: &Context, rounds: u32) -> Result<Vec<Comparison>> {
    engine::ready(ctx)?;
    SUBJECTS.iter().map(|subject| one(ctx, subject, rounds)).collect()
}

fn one(ctx: &Context, subject: &Subject, rounds: u32) -> Result<Comparison> {
    let reference = format!("{REPOSITORY}:{}", subject.tag);
    let timer = ctx.ui.timer(subject.bench);
    timer.set_message("makes the image");
    // One that a run before left behind would stay without a name.
    remove(ctx, &reference)?;
    let image = Image { ctx, reference: &reference };
    make(ctx, &reference, subject.content)?;
    let (mut ours, mut theirs) = (Side::new("size --image"), Side::new("docker save > /dev/null"));
    let mut peak = 0;
    for round in 1..=rounds {
        timer.set_message(format!("round {round} of {rounds}"));
        theirs.add(discarded(ctx, &reference)?);
        let (took, bytes) = measured(ctx, &reference)?;
        ours.add(took);
        peak = peak.max(bytes);
    }
    timer.finish_and_clear();
    ctx.ui.step(subject.bench, format!("measured, {} at most", Bytes(peak)));
    drop(image);
    let ratio = Some(ratio(&ours, &theirs));
    Ok(Comparison { bench: subject.bench, sides: vec![ours, theirs], ratio, peak_bytes: Some(peak), goal: subject.goal })
}

/// An image that is removed at the end.
struct Image<'a> {
    ctx: &'a Context,
    reference: &'a str,
}

impl Drop for Image<'_> {
    fn drop(&mut self) {
        if let Err(error) = remove(self.ctx, self.reference) {
            self.ctx.ui.error(&error);
        }
    }
}

fn remove(ctx: &Context, reference: &str) -> Result<()> {
    // A million files take minutes.
    ctx.runner.read(Call::new(image::remove(reference)).cleanup().no_deadline()).map(drop)
}

fn make(ctx: &Context, reference: &str, content: Content) -> Result<()> {
    let cannot = |error: std::io::Error| Error::cannot(format!("cannot write the image's content: {error}"));
    let folder = tempfile::tempdir().map_err(cannot)?;
    let folder = Utf8Path::from_path(folder.path()).ok_or_else(|| Error::cannot("the temporary folder's path is not UTF-8"))?;
    enough_room(folder, content)?;
    let path: Utf8PathBuf = folder.join("content.tar");
    let to = BufWriter::with_capacity(1 << 20, std::fs::File::create(&path).map_err(cannot)?);
    match content {
        Content::Bytes(bytes) => bulk::many_bytes(to, bytes).map_err(cannot)?,
        Content::Files(files) => bulk::many_files(to, files).map_err(cannot)?,
    }
    ctx.runner.read(Call::new(image::import(path.as_str(), reference)).no_deadline()).map(drop)
}

fn enough_room(folder: &Utf8Path, content: Content) -> Result<()> {
    let bytes = match content {
        Content::Bytes(bytes) => bytes * COPIES,
        Content::Files(files) => files * SMALL * COPIES,
    };
    let free = statvfs(folder.as_std_path()).map(|stat| stat.f_bavail * stat.f_frsize);
    let free = free.map_err(|error| Error::cannot(format!("cannot tell how much room `{folder}` has: {error}")))?;
    if free < bytes {
        let message =
            format!("the image takes {} while it is made and measured, and `{folder}` has {}", Bytes(bytes), Bytes(free));
        return Err(Error::cannot(message).help("make room, or set TMPDIR to a folder that has some"));
    }
    Ok(())
}

fn discarded(ctx: &Context, reference: &str) -> Result<Duration> {
    let started = Instant::now();
    ctx.runner.discard(Call::new(image::save(&[reference.to_owned()])).no_deadline())?;
    Ok(started.elapsed())
}

/// How long the report takes, and the most memory that this process had meanwhile.
fn measured(ctx: &Context, reference: &str) -> Result<(Duration, u64)> {
    let args = SizeArgs { images: vec![reference.to_owned()], ..SizeArgs::default() };
    forget_peak()?;
    let started = Instant::now();
    let report = size::report(ctx, &args)?;
    let took = started.elapsed();
    if report.images.len() != 1 {
        return Err(Error::cannot(format!("`{reference}` was not measured")));
    }
    Ok((took, peak()?))
}

/// Lets the kernel count the peak from now on.
fn forget_peak() -> Result<()> {
    std::fs::write("/proc/self/clear_refs", "5")
        .map_err(|error| Error::cannot(format!("cannot forget the peak of memory: {error}")))
}

/// The most memory that this process has had, in bytes.
fn peak() -> Result<u64> {
    let cannot = || Error::cannot("cannot tell how much memory was used: `/proc/self/status` has no `VmHWM`");
    let status = std::fs::read_to_string("/proc/self/status").map_err(|_| cannot())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or_else(cannot)?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().map_err(|_| cannot())?;
    Ok(kibibytes * 1024)
}
