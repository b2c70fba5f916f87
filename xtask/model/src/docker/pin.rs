//! A digest written behind an image's name in a text, everything else of which stays byte for byte.

use std::ops::Range;

/// The text with a digest behind the image that its line `line` (counted from 1), or a line that continues this one, names; none if
/// none of them does. A digest that stands there already is replaced.
pub fn pinned(text: &str, line: usize, reference: &str, digest: &str) -> Option<String> {
    let region = region(text, line)?;
    let at = region.start + find(&text[region], reference)?;
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    Some(format!("{}{name}@{digest}{}", &text[..at], &text[at + reference.len()..]))
}

/// A line and those that continue it, line ends included.
fn region(text: &str, line: usize) -> Option<Range<usize>> {
    let mut start = 0;
    let mut lines = text.split_inclusive('\n').map(|line| {
        let from = start;
        start += line.len();
        (from..start, line)
    });
    let (first, mut last) = lines.nth(line.checked_sub(1)?)?;
    let mut end = first.end;
    while last.trim_end().ends_with(['\\', '`']) {
        let Some((range, next)) = lines.next() else { break };
        (end, last) = (range.end, next);
    }
    Some(first.start..end)
}

/// Where a reference stands by itself, not as a part of a longer one.
fn find(text: &str, reference: &str) -> Option<usize> {
    let inside = |c: char| c.is_alphanumeric() || "._-/:@${}".contains(c);
    let mut matches = text.match_indices(reference);
    let is_whole = |at: usize| {
        let before = text[..at].chars().next_back().filter(|c| *c != '{').is_some_and(inside);
        let after = text[at + reference.len()..].chars().next().filter(|c| *c != '}').is_some_and(inside);
        !before && !after
    };
    matches.find(|(at, _)| is_whole(*at)).map(|(at, _)| at)
}

/// The lines in which two texts of as many lines differ, as a diff shows them.
pub fn diff(file: &str, before: &str, after: &str) -> String {
    let changed = before.lines().zip(after.lines()).enumerate().filter(|(_, (old, new))| old != new);
    let hunks: String = changed.map(|(index, (old, new))| format!("@@ -{0} +{0} @@\n-{old}\n+{new}\n", index + 1)).collect();
    if hunks.is_empty() { hunks } else { format!("--- {file}\n+++ {file}\n{hunks}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:aa";

    #[test]
    fn a_digest_is_written_behind_the_name_and_nothing_else_changes() {
        for (text, line, reference, expected) in [
            ("a\r\nFROM base:1 AS x\r\n", 2, "base:1", "a\r\nFROM base:1@sha256:aa AS x\r\n"),
            (
                "FROM --platform=x \\\n  # why\\\n  \"base:1\"\n",
                1,
                "base:1",
                "FROM --platform=x \\\n  # why\\\n  \"base:1@sha256:aa\"\n",
            ),
            ("ARG BASE=base:1", 1, "base:1", "ARG BASE=base:1@sha256:aa"),
            ("RUN --mount=from=l:1,target=/l true", 1, "l:1", "RUN --mount=from=l:1@sha256:aa,target=/l true"),
            ("  db: {image: db:17} # db:17", 1, "db:17", "  db: {image: db:17@sha256:aa} # db:17"),
            ("FROM x/base base", 1, "base", "FROM x/base base@sha256:aa"),
            ("FROM base:1@sha256:bb", 1, "base:1@sha256:bb", "FROM base:1@sha256:aa"),
        ] {
            assert_eq!(pinned(text, line, reference, DIGEST).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_not_written_there_is_not_found() {
        for (text, line) in [("FROM base:12\n", 1), ("FROM x\nbase:1\n", 1), ("FROM my-base:1", 1), ("base:1", 2), ("base:1", 0)]
        {
            assert_eq!(pinned(text, line, "base:1", DIGEST), None, "{text}");
        }
    }

    #[test]
    fn a_diff_shows_changed_lines_alone() {
        assert_eq!(diff("f", "a\nb\n", "a\nc\n"), "--- f\n+++ f\n@@ -2 +2 @@\n-b\n+c\n");
        assert_eq!(diff("f", "a\n", "a\n"), "");
    }

    proptest! {
        #[test]
        fn whatever_stands_around_stays(before in "[^b]{0,40}", after in "([ \t\r\n][^b]*)?", line in 0..4_usize) {
            let text = format!("{before}\nFROM b:1{after}");
            let at = text[..text.find("b:1").unwrap_or_default()].matches('\n').count() + 1;
            let made = pinned(&text, at, "b:1", DIGEST).expect("it stands there");
            prop_assert_eq!(made.replacen("@sha256:aa", "", 1), text.clone());
            let _any = pinned(&text, line, "b:1", DIGEST);
        }
    }
}
