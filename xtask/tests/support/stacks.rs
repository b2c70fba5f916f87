//! Small stacks on the real engine, and smoke tests of them.

use super::{Project, Ran, left_behind};

/// A small image whose shell and web server the stacks here use.
pub const IMAGE: &str = "busybox:1.37";

/// A web server on port 8080 that says `hello`.
pub const WEB: &str = "[sh, -c, 'mkdir -p /tmp/w && echo hello > /tmp/w/index.html && exec httpd -f -p 8080 -h /tmp/w']";

/// A project of one file. Services that begin with `{image: IMAGE` have a first process that passes signals on.
pub fn stack(services: &str) -> Project {
    Project::within(
        "with blanks and ümlauts",
        &[(
            "compose.yaml",
            &services
                .replace("{image: IMAGE", &format!("{{init: true, image: {IMAGE}"))
                .replace("IMAGE", IMAGE)
                .replace("WEB", WEB),
        )],
    )
}

/// Smokes a stack and makes sure that nothing of its run is left.
pub fn smoke(project: &Project, args: &[&str]) -> Ran {
    let ran = project.xtask(&[&["smoke", "--provision"], args].concat());
    let name = ran
        .stderr
        .split("project ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .expect("the run says its name, or what it left could not be looked for");
    assert_eq!(left_behind(name), [] as [&str; 0], "{}", ran.stderr);
    ran
}
