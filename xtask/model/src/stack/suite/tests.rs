//! Suites and templates, right and wrong ones.

use camino::Utf8Path;
use proptest::prelude::*;

use super::*;
use crate::stack::source::Source;
use crate::stack::{Stack, parse};

fn read(entries: &str) -> (String, crate::error::Result<Stack>) {
    let text = format!("services: {{db: {{image: db}}}}\nx-xtask:\n  tests:\n{entries}");
    let sources = Sources(vec![Source::parse(Utf8Path::new("c.yaml"), &text)]);
    let stack = parse(&text, sources);
    (text, stack)
}

fn problem(entry: &str) -> String {
    let (text, stack) = read(&format!("    - {entry}\n"));
    let error = stack.map(|_| ()).expect_err(&text);
    let place = error.place.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{place} {}", error.message)
}

#[test]
fn a_suite_is_read_with_dollars_as_they_were_written() {
    let (_, stack) = read("    - {name: a, run: [x, 'a$$b'], needs: [db], env: {U: 'db://{db:5432}/$$x'}, deadline: 5m}\n");
    let suite = &stack.expect("right").extension.tests[0];
    assert_eq!(suite.run, ["x", "a$b"]);
    let filled = suite.env["U"].filled(|_| Ok::<_, ()>("1.2.3.4:5".to_owned()));
    assert_eq!(filled.as_deref(), Ok("db://1.2.3.4:5/$x"));
    assert_eq!(suite.ports(), BTreeMap::from([("db".to_owned(), BTreeSet::from([5432]))]));
    assert!(suite.needs_engine());
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (entry, message) in [
        ("{nmae: a}", "c.yaml:4 unknown key `nmae` in `x-xtask.tests[0]`"),
        ("{run: [x]}", "c.yaml:4 an entry of `tests` needs a `name`"),
        ("{name: a}", "c.yaml:4 `a` needs `run: [COMMAND, ARGUMENT, …]`"),
        ("{name: a, run: [x], target: t}", "c.yaml:4 `target` of `a` is a stage"),
        ("{name: a, run: [x], service: db, needs: [db]}", "c.yaml:4 `a` runs in a container"),
        ("{name: a, run: [x], service: db, programs: {p: q}}", "c.yaml:4 `a` runs in a container, whose image brings"),
        ("{name: a, run: [x], env: {U: '{db:80}'}}", "c.yaml:4 `{db:80}` in `a` belongs to no service"),
        ("{name: a, run: [x], env: {U: '{secret:s}'}}", "c.yaml:4 `{secret:s}` in `a` belongs to no service"),
        ("{name: a, run: [x], env: {U: '{db}'}}", "c.yaml:4 `x-xtask.tests[0].env.U`: `{db}` is no placeholder"),
        ("{name: a, run: [x], env: {U: 'a}'}}", "c.yaml:4 `x-xtask.tests[0].env.U`: a lone `}`"),
        ("{name: a, run: x}", "c.yaml:4 `x-xtask.tests[0].run`: "),
        ("{name: a, run: [x]}\n    - {name: a, run: [z]}", "c.yaml:5 two entries of `tests` are called `a`"),
    ] {
        let told = problem(entry);
        assert!(told.starts_with(message), "{entry}: {told}");
    }
}

#[test]
fn placeholders_are_told_apart_from_braces() {
    let template: Template = "{{{db:1.host}}}:{db:1.port} {db:1} {secret:key}".parse().expect("right");
    let shown: Vec<_> = template.placeholders().map(ToString::to_string).collect();
    assert_eq!(shown, ["{db:1.host}", "{db:1.port}", "{db:1}", "{secret:key}"]);
    let filled = template.filled(|placeholder| Ok::<_, ()>(placeholder.to_string().replace(['{', '}'], "'")));
    assert_eq!(filled.as_deref(), Ok("{'db:1.host'}:'db:1.port' 'db:1' 'secret:key'"));
    for wrong in ["{", "}", "{}", "{a}", "{a:}", "{:1}", "{a:0}", "{a:99999}", "{a:1.path}", "{a:b}", "{a:1"] {
        wrong.parse::<Template>().expect_err(wrong);
    }
}

proptest! {
    #[test]
    fn text_with_its_braces_doubled_comes_back_as_it_was(text in ".*") {
        let template: Template = text.replace('{', "{{").replace('}', "}}").parse().expect("only text");
        prop_assert_eq!(template.filled(|_| Err(())), Ok(text));
    }

    #[test]
    fn any_text_is_a_template_or_an_error(text in "[{}a:.0-9]*") {
        if let Ok(template) = text.parse::<Template>() {
            let again = template.filled(|placeholder| Ok::<_, ()>(placeholder.to_string())).expect("filled");
            prop_assert!(again.len() <= text.len());
        }
    }
}
