//! JUnit XML, as CI systems read it: suites of cases that passed, failed or were skipped. The elements and their order are those
//! of the schema that Jenkins publishes for it. What is tested is the caller's business.

use std::fmt::Write;

/// Cases that belong together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suite {
    /// What they are called together.
    pub name: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One thing that was tested.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it is about; CI systems group by it.
    pub class: String,
    /// What should be true of it.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// What came of it.
    pub result: CaseResult,
}

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseResult {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed {
        /// Why, in one line.
        message: String,
        /// Everything that was seen.
        details: String,
    },
    /// It was not tested, and why.
    Skipped(String),
}

/// The document: `name` is that of the whole, `seconds` how long it took.
pub fn document(name: &str, seconds: f64, suites: &[Suite]) -> String {
    let all = Counts::of(suites.iter().flat_map(|suite| &suite.cases));
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // The schema knows no `skipped` of the whole.
    line(&mut xml, 0, &format!("testsuites {} {}", attributes(name, seconds), all.attributes()), ">");
    for suite in suites {
        let counts = Counts::of(suite.cases.iter());
        // Not `sum`, which of nothing makes a negative zero.
        let seconds = suite.cases.iter().fold(0.0, |sum, case| sum + case.seconds);
        let start =
            format!("testsuite {} {} skipped=\"{}\"", attributes(&suite.name, seconds), counts.attributes(), counts.skipped);
        line(&mut xml, 1, &start, ">");
        suite.cases.iter().for_each(|case| write_case(&mut xml, case));
        line(&mut xml, 1, "/testsuite", ">");
    }
    line(&mut xml, 0, "/testsuites", ">");
    xml
}

fn write_case(xml: &mut String, case: &Case) {
    let start = format!("testcase classname=\"{}\" {}", escaped(&case.class), attributes(&case.name, case.seconds));
    let inside = match &case.result {
        CaseResult::Passed => return line(xml, 2, &start, "/>"),
        CaseResult::Skipped(why) => format!("skipped message=\"{}\"/", escaped(why)),
        CaseResult::Failed { message, details } => {
            format!("failure message=\"{}\" type=\"failure\">{}</failure", escaped(message), text(details))
        }
    };
    line(xml, 2, &start, ">");
    line(xml, 3, &inside, ">");
    line(xml, 2, "/testcase", ">");
}

fn line(xml: &mut String, depth: usize, element: &str, end: &str) {
    let _infallible = writeln!(xml, "{:indent$}<{element}{end}", "", indent = depth * 2);
}

fn attributes(name: &str, seconds: f64) -> String {
    format!("name=\"{}\" time=\"{seconds:.3}\"", escaped(name))
}

struct Counts {
    tests: usize,
    failures: usize,
    skipped: usize,
}

impl Counts {
    fn of<'a>(cases: impl Iterator<Item = &'a Case>) -> Self {
        cases.fold(Self { tests: 0, failures: 0, skipped: 0 }, |sum, case| Self {
            tests: sum.tests + 1,
            failures: sum.failures + usize::from(matches!(case.result, CaseResult::Failed { .. })),
            skipped: sum.skipped + usize::from(matches!(case.result, CaseResult::Skipped(_))),
        })
    }

    fn attributes(&self) -> String {
        format!("tests=\"{}\" failures=\"{}\" errors=\"0\"", self.tests, self.failures)
    }
}

/// Text between tags.
fn text(plain: &str) -> String {
    let mut xml = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '&' => xml += "&amp;",
            '<' => xml += "&lt;",
            '>' => xml += "&gt;",
            '"' => xml += "&quot;",
            // A reader would make a line end of it.
            '\r' => xml += "&#13;",
            c if is_character(c) => xml.push(c),
            _ => xml.push('\u{fffd}'),
        }
    }
    xml
}

/// Text in an attribute, where a reader would make blanks of line ends and tabs.
fn escaped(plain: &str) -> String {
    text(plain).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// Whether a document may hold it (XML 1.0, production 2).
fn is_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, result: CaseResult) -> Case {
        Case { class: "web".into(), name: name.into(), seconds: 0.25, result }
    }

    #[test]
    fn a_document_counts_what_it_holds() {
        let failed = CaseResult::Failed { message: "no".into(), details: "a\nb".into() };
        let cases = vec![case("one", CaseResult::Passed), case("two", failed), case("three", CaseResult::Skipped("late".into()))];
        let suites = [Suite { name: "probe".into(), cases }, Suite { name: "empty".into(), cases: vec![] }];
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="shop" time="1.500" tests="3" failures="1" errors="0">
  <testsuite name="probe" time="0.750" tests="3" failures="1" errors="0" skipped="1">
    <testcase classname="web" name="one" time="0.250"/>
    <testcase classname="web" name="two" time="0.250">
      <failure message="no" type="failure">a
b</failure>
    </testcase>
    <testcase classname="web" name="three" time="0.250">
      <skipped message="late"/>
    </testcase>
  </testsuite>
  <testsuite name="empty" time="0.000" tests="0" failures="0" errors="0" skipped="0">
  </testsuite>
</testsuites>
"#;
        assert_eq!(document("shop", 1.5, &suites), expected);
    }

    #[test]
    fn no_text_ends_an_element_or_breaks_the_document() {
        assert_eq!(text("]]> </failure> & \"x\"\r\n"), "]]&gt; &lt;/failure&gt; &amp; &quot;x&quot;&#13;\n");
        assert_eq!(text("\0\x1b[31m\u{ffff}\u{1f600}\u{7f}"), "\u{fffd}\u{fffd}[31m\u{fffd}\u{1f600}\u{7f}");
        assert_eq!(escaped("a\tb\nc"), "a&#9;b&#10;c");
    }
}
