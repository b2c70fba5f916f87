//! Command lines of single commands: in a container that runs one and is gone, and in one that runs. What services run in is
//! compose's, in [`super::compose`].

use std::collections::BTreeMap;

/// Runs a command in a container of its own, which is removed at its end; `name` is the container's. `entrypoint` takes the place of
/// the image's own.
pub fn run(
    name: &str,
    labels: &BTreeMap<String, String>,
    env: &[(String, String)],
    image: &str,
    command: &[String],
    entrypoint: Option<&str>,
) -> Vec<String> {
    let mut argv = ["docker", "run", "--rm", "--init", "--pull", "never", "--name", name].map(str::to_owned).to_vec();
    labels.iter().for_each(|(key, value)| argv.extend(["--label".to_owned(), format!("{key}={value}")]));
    env.iter().for_each(|(key, value)| argv.extend(["--env".to_owned(), format!("{key}={value}")]));
    argv.extend(entrypoint.into_iter().flat_map(|program| ["--entrypoint".to_owned(), program.to_owned()]));
    argv.push(image.to_owned());
    [argv, command.to_vec()].concat()
}

/// Runs a command in a container that runs, with what this process is given on stdin.
pub fn exec(container: &str, command: &[String]) -> Vec<String> {
    [["docker", "exec", "--interactive", container].map(str::to_owned).to_vec(), command.to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_runs_in_a_container_that_carries_the_runs_labels() {
        let labels = BTreeMap::from([("l".to_owned(), "v".to_owned())]);
        let env = [("A".to_owned(), "a b".to_owned())];
        let command = ["npm".to_owned(), "test".to_owned()];
        assert_eq!(
            run("test-1", &labels, &env, "shop/a:1", &command, None).join("|"),
            "docker|run|--rm|--init|--pull|never|--name|test-1|--label|l=v|--env|A=a b|shop/a:1|npm|test"
        );
    }

    #[test]
    fn a_command_in_a_container_reads_stdin() {
        assert_eq!(exec("c1", &["cat".to_owned()]).join("|"), "docker|exec|--interactive|c1|cat");
    }
}
