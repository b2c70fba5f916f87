//! `x-xtask.in_flight`: how it is seen that a service finishes the work it has taken when it is asked to stop. Pure.

use serde::Deserialize;

use super::chaos::dependents;
use super::extension::{KEY, placed};
use super::model::Stack;
use super::source::{Step, steps};
use crate::error::Error;

/// The key under which it stands.
const IN_FLIGHT: &str = "in_flight";

/// How work is given to a service, and how it is seen that it was done: commands, an argument each.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// The service in whose container the commands are run: one that this one depends on, since it still runs when this one has
    /// ended.
    pub at: String,
    /// Gives the work. Exit code 0 means that the service has taken it, and is at it.
    pub write: Vec<String>,
    /// Shows what has become of it.
    pub read: Vec<String>,
    /// What that must hold once the service has ended, and not before it is asked to.
    pub contains: String,
}

impl Work {
    /// Where it stands in the project, of a service.
    pub fn steps(service: &str) -> Vec<Step> {
        steps(["services", service, KEY, IN_FLIGHT])
    }
}

/// Checks what the types cannot say.
pub fn check_work(stack: &Stack, errors: &mut Vec<Error>) {
    for (name, service) in &stack.services {
        let Some(work) = &service.extension.in_flight else { continue };
        let wrong = if !dependents(stack, &work.at).contains(name.as_str()) {
            format!("the work of `{name}` is given at `{}`, which `{name}` does not depend on: it may be gone first", work.at)
        } else if work.write.is_empty() || work.read.is_empty() || work.contains.is_empty() {
            format!(
                "`{IN_FLIGHT}` of `{name}` needs a command to `write` the work, one to `read` what it came to, and a text that this `contains`"
            )
        } else {
            continue;
        };
        errors.push(placed(Error::cannot(wrong), &Work::steps(name), &stack.sources));
    }
}

#[cfg(test)]
mod tests {
    use crate::stack::parse;
    use crate::stack::source::Sources;

    fn problems(work: &str) -> Vec<String> {
        let text = format!(
            "services:
  store: {{image: x}}
  list: {{image: x, depends_on: {{store: {{condition: service_started}}}}}}
  other: {{image: x}}
  hand: {{image: x, depends_on: {{list: {{condition: service_started}}}}, x-xtask: {{in_flight: {work}}}}}
"
        );
        match parse(&text, Sources::default()) {
            Ok(_) => Vec::new(),
            Err(error) => error.all().map(|one| one.message.clone()).collect(),
        }
    }

    #[test]
    fn work_is_given_at_what_the_service_needs() {
        for at in ["list", "store"] {
            assert_eq!(problems(&format!("{{at: {at}, write: [a], read: [b], contains: c}}")), [] as [&str; 0]);
        }
        for at in ["other", "hand", "nowhere"] {
            let told = problems(&format!("{{at: {at}, write: [a], read: [b], contains: c}}"));
            assert_eq!(
                told,
                [format!("the work of `hand` is given at `{at}`, which `hand` does not depend on: it may be gone first")]
            );
        }
    }

    #[test]
    fn all_of_it_is_needed() {
        assert!(problems("{at: store, write: [], read: [b], contains: c}")[0].starts_with("`in_flight` of `hand` needs"));
        assert!(problems("{at: store, write: [a], read: [b]}")[0].contains("missing field `contains`"));
    }
}
