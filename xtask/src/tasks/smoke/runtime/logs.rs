//! Whether each line that a container has logged is what the stack says it is.

use std::time::Duration;

use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::stack::extension::LogFormat;
use crate::tasks::engine::side_by_side;
use crate::tasks::load::Loaded;

/// How long the engine may take to show a log.
const ANSWER: Duration = Duration::from_secs(10);

/// The error of each container whose log has other lines than its service declares, with its service.
pub fn check(ctx: &Context, loaded: &Loaded, containers: &[Container]) -> Vec<Result<Option<(String, Error)>>> {
    side_by_side(containers.iter().map(|container| move || one(ctx, loaded, container, containers)))
}

fn one(ctx: &Context, loaded: &Loaded, container: &Container, among: &[Container]) -> Result<Option<(String, Error)>> {
    let service = container.service();
    let declared = loaded.stack.services.get(service).and_then(|service| service.extension.logs);
    let Some(LogFormat::Json) = declared else { return Ok(None) };
    let mut lines = Vec::new();
    let call = Call::new(engine::whole_log(&container.id)).deadline(ANSWER);
    ctx.runner.stream(call, &mut |line| lines.push(line.text.clone()))?;
    let other: Vec<&String> = lines.iter().filter(|line| !is_json(line)).collect();
    let Some(first) = other.first() else { return Ok(None) };
    let message = format!("{} logs lines that are no JSON objects: {} of {}", container.called(among), other.len(), lines.len());
    Ok(Some((service.to_owned(), Error::failed(message).evidence("the first of them", [(*first).clone()]))))
}

/// Whether a line is a JSON object, or blank.
fn is_json(line: &str) -> bool {
    line.trim().is_empty() || serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_object_or_blank() {
        assert!(is_json("{\"a\": 1}") && is_json(" \r"));
        assert!(!is_json("{\"a\": 1} x") && !is_json("1") && !is_json("starting") && !is_json("[]"));
    }
}
