//! Commands that a service declares to give it something and to see what has become of it, run in a container.

use std::time::Duration;

use crate::context::Context;
use crate::docker::engine;
use crate::error::Result;
use crate::exec::Call;

/// How long a command may take.
const ANSWER: Duration = Duration::from_secs(10);

/// A command's exit code, and what it wrote to either stream.
///
/// # Errors
/// It cannot be run, or takes too long.
pub fn run(ctx: &Context, container: &str, words: &[String]) -> Result<(Option<i32>, Vec<String>)> {
    let mut said = Vec::new();
    let call = Call::new(engine::exec(container, words)).deadline(ANSWER);
    let ended = ctx.runner.stream(call, &mut |line| said.push(line.text.clone()))?;
    Ok((ended.code, said))
}
