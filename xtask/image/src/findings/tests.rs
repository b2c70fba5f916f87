//! Each rule broken, and what looks like it and is right.

use super::*;
use crate::archive::read;
use crate::history::{Instruction, Written};
use crate::testing::{Archive, Image};

const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA1c7+9z5Pad7OejecsQ0bu3aozN3tihPmljnnudb9G3HE\n";
const TOKEN: &str = "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";

/// What is found in an image of this base and these own layers.
fn found(base: Archive, own: impl IntoIterator<Item = Archive>) -> Vec<Finding> {
    let image = own.into_iter().fold(Image::default().layer("ADD rootfs /", base), |image, layer| image.layer("COPY a /", layer));
    let archive = read(&image.saved("a:1")[..], "`x`", false).expect("right");
    let image = &archive.images[0];
    let instruction = |line| Instruction { keyword: "COPY".to_owned(), line };
    let instructions = (2..=image.layers.len()).map(instruction).collect();
    let history = History::of(&image.config, Some(&Written { instructions, ..Written::default() }));
    let view = View::new(&archive, image);
    findings(&Scene { view: &view, history: &history, dockerfile: Some("Dockerfile"), production: true })
}

fn short(findings: &[Finding]) -> Vec<String> {
    let short = |one: &Finding| format!("{:?} {} {}{}", one.level, one.rule, one.path, if one.deleted { " deleted" } else { "" });
    findings.iter().map(short).collect()
}

fn new() -> Archive {
    Archive::new()
}

#[test]
fn secrets_are_found_in_every_layer_deleted_or_not() {
    let own = new().file("k.pem", KEY.as_bytes()).file(".npmrc", TOKEN.as_bytes()).file("app/.env", b"A=1");
    let told = found(new().file("old.pem", KEY.as_bytes()), [own, new().file(".wh.k.pem", b"")]);
    let expected =
        ["Error token /.npmrc", "Error env-file /app/.env", "Error private-key /k.pem deleted", "Warning private-key /old.pem"];
    assert_eq!(short(&told), expected);
    let key = &told[2];
    assert_eq!(
        (key.layer, key.instruction.as_str(), key.dockerfile.as_deref(), key.line),
        (Some(1), "COPY a /", Some("Dockerfile"), Some(2))
    );
    assert!(!serde_json::to_string(&told).expect("JSON").contains("ghp_"), "no secret is shown");
}

#[test]
fn what_everyone_has_is_no_secret() {
    let own = new()
        .file("app/node_modules/a/test/k.pem", KEY.as_bytes())
        .file("app/.env.example", b"A=")
        .file("app/.env", b"")
        .file("app/.environment", b"A=1");
    assert_eq!(short(&found(new(), [own])), ["Warning private-key /app/node_modules/a/test/k.pem"]);
}

#[test]
fn a_secret_in_an_instruction_is_found_and_not_shown() {
    let image = Image::default().layer(&format!("RUN curl -H {TOKEN} x"), new()).step(&format!("ENV T={TOKEN}"));
    let archive = read(&image.saved("a:1")[..], "`x`", false).expect("right");
    let view = View::new(&archive, &archive.images[0]);
    let history = History::of(&archive.images[0].config, None);
    let told = findings(&Scene { view: &view, history: &history, dockerfile: None, production: false });
    let told: Vec<_> = told.iter().map(|one| (one.level, one.layer, one.instruction.as_str())).collect();
    assert_eq!(told, [(Level::Error, None, "ENV T=[redacted]"), (Level::Error, Some(0), "RUN curl -H [redacted] x")]);
}

#[test]
fn permissions_are_told_of_what_a_container_sees() {
    let base = new().file_with("bin/su", b"x", 0o4755).file_with("gone", b"x", 0o4755).file_with("group", b"", 0o2755);
    let own = new()
        .folder("tmp", 0o1777)
        .folder("open", 0o777)
        .file_with("open/file", b"", 0o666)
        .symlink("link", "open")
        .folder("inherits", 0o2775)
        .file(".wh.gone", b"");
    let told = short(&found(base, [own]));
    assert_eq!(
        told,
        ["setuid /bin/su", "setuid /group", "world-writable /open", "world-writable /open/file"]
            .map(|one| format!("Warning {one}"))
    );
}

#[test]
fn what_no_builder_writes_is_told() {
    let told = short(&found(new(), [new().raw_file(b"../../etc/passwd", b"x").link("lost", "nowhere")]));
    assert_eq!(told, ["Error path-traversal /etc/passwd", "Warning broken-link /lost"]);
}

#[test]
fn packages_that_only_development_needs_are_found() {
    let lock =
        br#"{"packages":{"node_modules/typescript":{"dev":true},"node_modules/gone":{"dev":true},"node_modules/express":{}}}"#;
    let manifest = br#"{"name":"x","devDependencies":{"vitest":"1","express":"1"},"dependencies":{"express":"1"}}"#;
    let own = new()
        .file("app/node_modules/.package-lock.json", lock)
        .file("app/node_modules/typescript/package.json", b"{}")
        .file("app/node_modules/express/package.json", b"{}")
        .file("old/package.json", manifest)
        .file("old/node_modules/vitest/package.json", b"{}")
        .file("old/node_modules/express/package.json", b"{}");
    let told = found(new(), [own]);
    let told: Vec<_> = told.iter().map(|one| (one.rule.as_str(), one.level, one.message.as_str())).collect();
    let message = |names: &str| format!("1 package that only development needs: {names}");
    let (typescript, vitest) = (message("typescript"), message("vitest"));
    assert_eq!(told, [("dev-dependency", Level::Error, typescript.as_str()), ("dev-dependency", Level::Error, vitest.as_str())]);
}

#[test]
fn compilers_count_where_the_base_does_not_have_them() {
    let status = |names: &[&str]| {
        names.iter().map(|name| format!("Package: {name}\nStatus: install ok installed\nVersion: 1\n\n")).collect::<String>()
    };
    let base = new().file("var/lib/dpkg/status", status(&["libc6", "git"]).as_bytes());
    let own = new().file("var/lib/dpkg/status", status(&["libc6", "git", "gcc", "libssl-dev"]).as_bytes());
    let told = found(base, [own]);
    assert_eq!((told.len(), told[0].message.as_str()), (1, "2 packages for making programs: gcc, libssl-dev"));
    assert_eq!(told[0].level, Level::Warning);
}

#[test]
fn sources_and_repositories_are_found() {
    let base = new().file("usr/src/base.c", b"x");
    let own = new()
        .file("app/src/a.ts", b"x")
        .file("app/src/b.ts", b"x")
        .file("app/dist/a.d.ts", b"x")
        .file("app/node_modules/p/index.ts", b"x")
        .file("usr/include/stdio.c", b"x")
        .file("app/.git/HEAD", b"x");
    let told = found(base, [own]);
    assert_eq!(short(&told), ["Error source /app/.git/HEAD", "Warning source /app/src/a.ts"]);
    assert_eq!(told[1].message, "2 sources of something that is compiled, such as `/app/src/a.ts`");
}

#[test]
fn many_findings_of_a_rule_are_told_as_a_number() {
    let own = (0..TOLD + 5).fold(new(), |layer, at| layer.file_with(&format!("f{at}"), b"", 0o666));
    let told = found(new(), [own]);
    assert_eq!(
        (told.len(), told.iter().find(|one| one.path.is_empty()).map(|one| one.message.as_str())),
        (TOLD + 1, Some("5 more of the same"))
    );
}
