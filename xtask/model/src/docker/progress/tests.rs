//! Progress as Buildx tells it: whole and broken lines, several targets, logs cut anywhere.

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn vertex(digest: &str, name: &str, rest: &str) -> String {
    format!(r#"{{"vertexes":[{{"digest":"{digest}","name":"{name}"{rest}}}]}}"#)
}

const STARTED: &str = r#","started":"x""#;
const DONE: &str = r#","started":"x","completed":"y""#;
const CACHED: &str = r#","started":"x","completed":"y","cached":true"#;

fn log(vertex: &str, text: &[u8]) -> String {
    format!(r#"{{"logs":[{{"vertex":"{vertex}","stream":1,"data":"{}"}}]}}"#, BASE64_STANDARD.encode(text))
}

fn fed(targets: &[&str], lines: &[String]) -> Progress {
    let mut progress = Progress::new(targets.iter().copied());
    for (index, line) in lines.iter().enumerate() {
        progress.feed(line, SECOND * u32::try_from(index).expect("few"));
    }
    progress
}

#[test]
fn steps_are_counted_per_target() {
    let progress = fed(
        &["api", "web"],
        &[
            vertex("i", "[api internal] load build definition", DONE),
            vertex("f", "[api build 1/3] FROM x", DONE),
            vertex("a", "[api build 2/3] COPY a /", ""),
            vertex("b", "[api build 3/3] RUN b", ""),
            vertex("a", "[api build 2/3] COPY a /", CACHED),
            vertex("w", "[web 1/1] COPY w /", DONE),
            vertex("b", "[api build 3/3] RUN b", STARTED),
            vertex("e", "[web] exporting to image", DONE),
            vertex("n", "[nobody 1/1] COPY", DONE),
        ],
    );
    let api = &progress.targets["api"];
    assert_eq!((api.done(), api.steps.len(), api.cached()), (1, 2, 1));
    assert_eq!(api.current().expect("busy").name, "RUN b");
    let web = &progress.targets["web"];
    assert_eq!((web.done(), web.steps.len(), web.cached(), web.took()), (1, 1, 0, SECOND * 2));
    assert!(web.current().is_none());
    assert!(web.is_stored() && !api.is_stored());
    assert!(progress.has_begun() && !Progress::new(["api"]).has_begun());
}

#[test]
fn one_target_goes_without_its_name() {
    let progress = fed(&["api"], &[vertex("a", "[api 2/3] RUN a", DONE), vertex("e", "exporting to image", STARTED)]);
    let api = &progress.targets["api"];
    assert_eq!((api.steps[0].name.as_str(), api.current().expect("busy").name.as_str()), ("RUN a", "exporting to image"));
}

#[test]
fn a_step_is_told_once_when_it_ends() {
    let mut progress = Progress::new(["t"]);
    assert_eq!(progress.feed(&vertex("a", "[1/1] RUN a", STARTED), SECOND), []);
    assert_eq!(progress.feed(&vertex("a", "[1/1] RUN a", DONE), SECOND * 4), [("t".to_owned(), 0)]);
    assert_eq!(progress.feed(&vertex("a", "[1/1] RUN a", DONE), SECOND * 5), []);
    assert_eq!(progress.feed(&vertex("f", "[1/2] FROM x", DONE), SECOND * 5), []);
    assert_eq!(progress.targets["t"].steps[0].took, SECOND * 4);
}

#[test]
fn a_step_that_another_build_shares_is_one_step_under_two_digests() {
    let told = [
        vertex("a", "[1/2] COPY a", ""),
        vertex("b", "[1/2] COPY a", ""),
        vertex("b", "[1/2] COPY a", &format!("{DONE},\"cached\":true")),
        vertex("a", "[1/2] COPY a", STARTED),
        vertex("a", "[1/2] COPY a", DONE),
    ];
    let progress = fed(&["t"], &told);
    let target = &progress.targets["t"];
    assert_eq!((target.steps.len(), target.cached(), target.done()), (1, 1, 1));
}

#[test]
fn the_failing_step_is_the_one_that_was_not_cancelled() {
    let failed = |reason: &str| format!(r#","started":"x","completed":"y","error":"{reason}""#);
    let progress = fed(
        &["a", "b"],
        &[
            log("x", b"one\ntwo \xc3"),
            log("y", b"not mine\n"),
            log("x", b"\xa9\n"),
            vertex("y", "[a 1/1] RUN y", &failed("exit code: 137: context canceled: context canceled")),
            vertex("x", "[b 1/1] RUN x", &failed("exit code: 7")),
        ],
    );
    let failure = progress.failure().expect("one failed");
    assert_eq!((failure.target, failure.step, failure.reason), ("b", "RUN x", "exit code: 7"));
    assert_eq!(failure.log, ["one", "two é"]);
}

#[test]
fn only_the_last_lines_of_a_log_are_kept() {
    let text: String = (0..100).map(|n| format!("{n}\n")).collect();
    let progress = fed(&["t"], &[log("x", text.as_bytes()), log("x", b"10%\r20%\rdone"), log("x", &[b'x'; 10_000])]);
    let lines = progress.log("x");
    assert_eq!((lines.len(), lines[0].as_str()), (TAIL, "81"));
    assert!(lines[TAIL - 1].starts_with("donexxx") && lines[TAIL - 1].len() < LINE);
}

#[test]
fn documents_over_many_lines_and_plain_text_are_told_apart() {
    let lines = [
        "{",
        "  \"vertexes\": [",
        "    {",
        "      \"digest\": \"a\",",
        "      \"name\": \"[1/1] RUN {\"",
        "    }",
        "  ]",
        "}",
        "Dockerfile:6",
        "",
        "ERROR: failed",
    ];
    let progress = fed(&["t"], &lines.map(str::to_owned));
    assert_eq!(progress.targets["t"].steps[0].name, "RUN {");
    assert_eq!(progress.said, ["Dockerfile:6", "ERROR: failed"]);
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(lines in proptest::collection::vec("[{}\\[\\] a/1\"]{0,12}|.*", 0..20)) {
        let _progress = fed(&["a"], &lines);
    }
}
