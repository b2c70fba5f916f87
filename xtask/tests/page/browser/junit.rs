//! JUnit documents, read by a parser that is not ours: the browser's.

use xtask::report::junit::{Case, CaseResult, Suite, document};

use crate::devtools::Browser;

/// Text that breaks a document whose author forgot something.
const GARBAGE: &str = "]]> </failure> & \"' <!-- \0\x1b[31m \u{ffff} \u{202e} \u{1f600}\r\n\tend";

/// What the garbage must come back as.
const READ: &str = "]]> </failure> & \"' <!-- \u{fffd}\u{fffd}[31m \u{fffd} \u{202e} \u{1f600}\r\n\tend";

#[test]
#[ignore = "needs a browser"]
fn another_parser_reads_what_was_written_in_the_order_of_the_schema() {
    let result = |at: usize| match at {
        0 => CaseResult::Passed,
        1 => CaseResult::Skipped(GARBAGE.into()),
        _ => CaseResult::Failed { message: GARBAGE.into(), details: GARBAGE.into() },
    };
    let case = |at| Case { class: GARBAGE.into(), name: GARBAGE.into(), seconds: 0.5, result: result(at) };
    let xml = document(GARBAGE, 1.5, &[Suite { name: GARBAGE.into(), cases: (0..3).map(case).collect() }]);
    let mut page = Browser::start();
    let text = serde_json::to_string(&xml).expect("JSON");
    page.value(&format!("globalThis.xml = new DOMParser().parseFromString({text}, 'application/xml')"));
    page.holds("xml.querySelector('parsererror') === null");
    let tree = "(function tell(e) { return e.tagName + '(' + [...e.children].map(tell).join(' ') + ')'; })(xml.documentElement)";
    let expected = "testsuites(testsuite(testcase() testcase(skipped()) testcase(failure())))";
    assert_eq!(page.text(tree), expected);
    for place in [
        "xml.documentElement.getAttribute('name')",
        "xml.querySelector('testsuite').getAttribute('name')",
        "xml.querySelector('testcase').getAttribute('classname')",
        "xml.querySelector('skipped').getAttribute('message')",
        "xml.querySelector('failure').getAttribute('message')",
        "xml.querySelector('failure').textContent",
    ] {
        assert_eq!(page.text(place), READ, "{place}");
    }
}
