//! `bench`: this tool against what it replaces, measured in one run, the sides taking turns. It prints and judges nothing: times
//! depend on the machine, ratios less so.

mod build;
mod bulk;
mod chain;
mod push;
mod sample;
mod secrets;
mod size;
mod smoke;

use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::cli::{Bench, BenchArgs};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::report;
use sample::{Comparison, Side, table};

/// How often each side is measured that takes a moment; the slow side of `smoke` takes over a minute and is measured once.
const ROUNDS: u32 = 3;

/// What is measured when nothing is named: what needs neither minutes nor tens of gigabytes.
const UNASKED: [Bench; 4] = [Bench::Start, Bench::Build, Bench::Smoke, Bench::Secrets];

/// Measures and prints.
pub fn run(ctx: &Context, args: &BenchArgs) -> Result<()> {
    let what = if args.what.is_empty() { UNASKED.to_vec() } else { args.what.clone() };
    if ctx.dry_run() {
        let names = what.iter().filter_map(ValueEnum::to_possible_value).map(|value| value.get_name().to_owned());
        return report::plan(ctx.json(), &format!("measure {}\n", names.collect::<Vec<_>>().join(", ")));
    }
    let mut comparisons = Vec::new();
    for one in what {
        match one {
            Bench::Start => comparisons.push(start(ctx, args.rounds.unwrap_or(ROUNDS))?),
            Bench::Build => comparisons.push(build::compare(ctx, args.rounds.unwrap_or(ROUNDS))?),
            Bench::Smoke => comparisons.extend(smoke::compare(ctx, args.rounds.unwrap_or(1))?),
            Bench::Secrets => comparisons.push(secrets::measure(args.rounds.unwrap_or(ROUNDS))?),
            Bench::Push => comparisons.extend(push::compare(ctx, args.rounds.unwrap_or(ROUNDS))?),
            Bench::Size => comparisons.extend(size::compare(ctx, args.rounds.unwrap_or(1))?),
        }
    }
    if ctx.json() { report::json(&comparisons) } else { report::text(&table(&comparisons)) }
}

/// How long this program takes to say what it can do.
fn start(ctx: &Context, rounds: u32) -> Result<Comparison> {
    let call = Call::new([own_program()?, "--help".to_owned()]);
    let mut side = Side::new("xtask --help");
    for _ in 0..rounds {
        side.add(timed(ctx, call.clone())?);
    }
    Ok(Comparison { bench: "start", sides: vec![side], ratio: None, peak_bytes: None, goal: "< 10 ms" })
}

/// The path of this very program.
fn own_program() -> Result<String> {
    let path =
        std::env::current_exe().map_err(|error| Error::cannot(format!("cannot tell the path of this program: {error}")))?;
    path.to_str().map(str::to_owned).ok_or_else(|| Error::cannot("the path of this program is not UTF-8"))
}

/// How long a command takes that must succeed.
fn timed(ctx: &Context, call: Call) -> Result<Duration> {
    let title = call.display();
    let started = Instant::now();
    let finished = ctx.runner.finish(call)?;
    let took = started.elapsed();
    if finished.ok() { Ok(took) } else { Err(ctx.runner.failure(&title, &finished)) }
}
