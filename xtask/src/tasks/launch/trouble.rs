//! What keeps a service from being started, as one clear error.

use crate::docker::space::{ROOM, is_full};
use crate::error::{Error, Exit};
use crate::stack::Stack;

/// The engine is not there any more.
pub fn engine_gone() -> Error {
    Error::cannot("the engine stopped answering during the boot").help("`cargo xtask doctor` tells its state")
}

/// What docker's client says when the engine goes away while it is asked.
const GONE: [&str; 2] = ["error during connect: ", "Cannot connect to the Docker daemon"];

/// Makes one clear error of what docker's client says of a service that it could not start.
pub fn cannot_start(stack: &Stack, service: &str, error: Error) -> Error {
    if error.exit == Exit::Interrupted {
        return error;
    }
    let said =
        error.evidence.first().and_then(|evidence| evidence.lines.first()).cloned().unwrap_or_else(|| error.message.clone());
    let said = said.trim_start_matches("Error response from daemon: ");
    if GONE.iter().any(|sign| said.starts_with(sign)) {
        return engine_gone();
    }
    let failed = Error {
        place: stack.sources.service(service),
        service: Some(service.to_owned()),
        ..Error::failed(format!("`{service}` cannot be started: {said}"))
    };
    if said.contains("port is already allocated") || said.contains("address already in use") {
        return failed.help("another program holds the port: stop it, or publish the service on another one");
    }
    if is_full(said) { failed.help(ROOM) } else { failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_goes_away_is_no_fault_of_the_service() {
        let stack = crate::stack::parse("services: {web: {image: a}}", Default::default()).expect("a stack");
        let said = "error during connect: Post \"http://%2Fx.sock/v1.45/containers/7/start\": EOF";
        let error = cannot_start(&stack, "web", Error::cannot("x").evidence("it said", [said]));
        assert_eq!((error.message.as_str(), error.exit), ("the engine stopped answering during the boot", Exit::CannotRun));
    }

    #[test]
    fn a_port_that_is_taken_is_told_with_its_remedy() {
        let stack = crate::stack::parse("services: {web: {image: a}}", Default::default()).expect("a stack");
        let said = "Error response from daemon: driver failed: Bind for 127.0.0.1:80 failed: port is already allocated";
        let error = cannot_start(&stack, "web", Error::cannot("x").evidence("it said", [said]));
        assert!(error.message.starts_with("`web` cannot be started: driver failed"), "{error}");
        assert!(error.help.is_some());
    }
}
