//! Dockerfiles as they are written: stages, arguments, here-documents, and no text that makes the parser panic.

use proptest::prelude::*;

use super::*;

fn needed(text: &str, target: Option<&str>, args: &[(&str, &str)]) -> Vec<(String, usize, Role)> {
    let args = args.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse(text).images(target, &args).into_iter().map(|base| (base.reference, base.line, base.role)).collect()
}

fn references(text: &str, target: Option<&str>, args: &[(&str, &str)]) -> Vec<String> {
    needed(text, target, args).into_iter().map(|(reference, ..)| reference).collect()
}

const FULL: &str = r#"# syntax=docker/dockerfile:1.7
# check=skip=all

# a comment
ARG NODE=22
ARG VARIANT="slim" IMAGE=node:${NODE}-${VARIANT}
FROM --platform=$BUILDPLATFORM ${IMAGE} AS Deps
ARG NPM_TOKEN
RUN --mount=type=cache,target=/npm \
    # between continued lines
    --mount=type=bind,from=alpine:3,target=/a \
    npm ci
from deps as build
COPY <<EOF /made
FROM not-an-image
EOF
RUN --mount=from=tools:1,target=/t make
FROM nginx:1.27 AS web
COPY --chown=1:1 --from=build /dist /srv
COPY --from=busybox:1 /bin/busybox /bin/
ONBUILD COPY --from=never /x /y
FROM scratch
COPY --from=0 /x /
"#;

#[test]
fn stages_arguments_and_directives_are_read() {
    let file = parse(FULL);
    let stages: Vec<_> = file.stages.iter().map(|stage| (stage.name.as_deref(), stage.base.as_str(), stage.line)).collect();
    assert_eq!(
        stages,
        [(Some("deps"), "${IMAGE}", 7), (Some("build"), "deps", 13), (Some("web"), "nginx:1.27", 18), (None, "scratch", 22)]
    );
    assert_eq!(file.stages[0].platform.as_deref(), Some("$BUILDPLATFORM"));
    assert_eq!(file.syntax, Some(Named { reference: "docker/dockerfile:1.7".into(), line: 1 }));
    assert_eq!(file.targets().collect::<Vec<_>>(), ["deps", "build", "web"]);
    assert_eq!(file.declared().collect::<Vec<_>>(), ["NODE", "VARIANT", "IMAGE", "NPM_TOKEN"]);
    assert!(file.declares("NPM_TOKEN") && !file.declares("NPM_TOKE"));
}

#[test]
fn a_target_needs_the_images_of_the_stages_it_reaches() {
    use Role::{Copy, From, Frontend, Mount};
    let frontend = ("docker/dockerfile:1.7".to_owned(), 1, Frontend);
    assert_eq!(
        needed(FULL, Some("web"), &[]),
        [
            frontend.clone(),
            ("node:22-slim".into(), 7, From),
            ("alpine:3".into(), 9, Mount),
            ("tools:1".into(), 17, Mount),
            ("nginx:1.27".into(), 18, From),
            ("busybox:1".into(), 20, Copy),
        ]
    );
    assert_eq!(references(FULL, Some("DEPS"), &[("NODE", "24")])[1..], ["node:24-slim", "alpine:3"]);
    assert_eq!(references(FULL, None, &[])[1..], ["node:22-slim", "alpine:3"], "the last stage copies from stage 0");
    assert_eq!(needed(FULL, Some("no-such-target"), &[]), [frontend]);
}

#[test]
fn a_target_is_a_name_or_a_number() {
    let file = parse(FULL);
    for (target, stage) in
        [(None, Some(3)), (Some(""), Some(3)), (Some("Web"), Some(2)), (Some("1"), Some(1)), (Some("4"), None), (Some("x"), None)]
    {
        assert_eq!(file.target(target), stage, "{target:?}");
    }
    assert_eq!(parse("").target(None), None);
}

#[test]
fn variables_are_put_in_as_buildkit_does() {
    let args = [("SET", "value"), ("EMPTY", "")];
    for (written, reference) in [
        ("$SET", "value"),
        ("${SET}-x", "value-x"),
        ("a:${UNSET:-b}", "a:b"),
        ("a:${EMPTY:-b}", "a:b"),
        ("a${EMPTY-b}", "a"),
        ("a${SET:+-c}", "a-c"),
        ("a${EMPTY:+-c}", "a"),
        ("a${EMPTY+-c}", "a-c"),
        ("${UNSET:-${SET:-x}}", "value"),
        ("\"quoted\"", "quoted"),
        (r"a\$SET", "a$SET"),
        ("${SET%%.*}", "${SET%%.*}"),
        ("a$", "a$"),
        ("a${SET", "a${SET"),
        ("i-$TARGETOS", "i-linux"),
    ] {
        let text = format!("ARG SET\nARG EMPTY\nFROM {written}\n");
        assert_eq!(references(&text, None, &args), [reference], "{written}");
    }
}

#[test]
fn only_declared_arguments_reach_from() {
    assert!(references("FROM $A\n", None, &[("A", "x")]).is_empty());
    assert_eq!(references("ARG A='x y'\nFROM $A", None, &[]), ["x y"]);
    assert!(references("FROM scratch AS a\nARG B=x\nFROM $B", None, &[]).is_empty(), "an argument of a stage is not global");
}

#[test]
fn the_escape_character_can_be_changed() {
    let file = parse("# escape=`\nFROM a `\n  AS b\nCOPY c:\\ d:\\\nFROM b\n");
    assert_eq!(file.targets().collect::<Vec<_>>(), ["b"]);
    assert_eq!(file.stages.len(), 2);
}

#[test]
fn here_documents_are_not_instructions() {
    for body in ["<<EOF", "<<-EOF", "<<'EOF'", "<<\"EOF\"", "3<<EOF", "<<A <<EOF"] {
        let end = if body.contains("<<A") { "A\nFROM two\nEOF" } else { "EOF" };
        let text = format!("FROM one\nRUN cat {body}\nFROM two\n{end}\nFROM three\n");
        assert_eq!(parse(&text).stages.len(), 2, "{text}");
    }
    assert_eq!(parse("FROM a\nRUN x <<EOF\nFROM b\n\tEOF\n").stages.len(), 1, "without `-` a tab does not end it");
    assert_eq!(parse("FROM a\nRUN cat <<<EOF\nFROM b\n").stages.len(), 2, "a here-string is no here-document");
    assert_eq!(parse("FROM a\nLABEL x=<<EOF\nFROM b\n").stages.len(), 2);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_not_matter() {
    let file = parse("\u{feff}FROM a AS b\r\nRUN x \\\r\n  y\r\nFROM b\r\n");
    assert_eq!((file.stages.len(), file.stages[1].base.as_str()), (2, "b"));
}

/// Pieces that Dockerfiles are made of, put together at random: likelier to reach a corner than random characters.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "FROM ",
        "AS ",
        "ARG ",
        "COPY --from=",
        "RUN --mount=from=",
        "<<EOF",
        "<<-",
        "\n",
        "\\\n",
        "# ",
        "syntax=",
        "escape=`",
        "${",
        "}",
        ":-",
        ":+",
        "$",
        "a",
        "0",
        "\"",
        "'",
        "=",
        " ",
        "\t",
        "EOF\n",
        "é",
        "\u{feff}",
        "\r\n",
        "ONBUILD ",
        "`",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..60).prop_map(|pieces| pieces.concat())
}

#[test]
fn a_target_is_made_by_the_steps_of_every_stage_it_begins_from() {
    let told = |target| {
        let lineage = parse(FULL).lineage(target, &BTreeMap::new());
        let steps: Vec<_> = lineage.steps.into_iter().map(|step| (step.keyword, step.line)).collect();
        (lineage.base.unwrap_or_default(), steps)
    };
    let step = |keyword: &str, line| (keyword.to_owned(), line);
    let build = vec![step("ARG", 8), step("RUN", 9), step("COPY", 14), step("RUN", 17)];
    assert_eq!(told(Some("build")), ("node:22-slim".to_owned(), build));
    assert_eq!(told(Some("web")), ("nginx:1.27".to_owned(), vec![step("COPY", 19), step("COPY", 20)]));
    assert_eq!(told(None), (String::new(), vec![step("COPY", 23)]));
    assert_eq!(told(Some("none")), (String::new(), Vec::new()));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![soup(), any::<String>()], target in proptest::option::of("[a0]")) {
        let file = parse(&text);
        let _images = file.images(target.as_deref(), &BTreeMap::from([("a".to_owned(), "$a".to_owned())]));
    }

    #[test]
    fn every_line_lies_in_the_file(text in soup()) {
        let lines = text.lines().count();
        for base in parse(&text).images(None, &BTreeMap::new()) {
            prop_assert!((1..=lines).contains(&base.line));
        }
    }
}
