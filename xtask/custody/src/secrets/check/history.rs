//! Values in anything that git has ever been given: every object of the repository, also those that no branch reaches any more.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use camino::Utf8Path;

use super::Looked;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::load::Loaded;
use crate::report::finding::Finding;
use crate::secret::search::Search;
use crate::secrets::git::work_tree;

/// How long a history is read before the rest of it is left unread.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much of what git prints is read at once.
const PART: usize = 1 << 20;

/// Reads every object once, as a stream.
pub fn look(ctx: &Context, loaded: &Loaded, search: &Search) -> Result<Looked> {
    let Some(tree) = work_tree(&loaded.root).filter(|_| !search.is_empty()) else { return Ok(Looked::default()) };
    let argv = ["git", "cat-file", "--batch-all-objects", "--batch", "--unordered", "--buffer"];
    let timer = ctx.ui.timer("history");
    let call = Call::new(argv).dir(tree);
    let until = Instant::now() + PATIENCE;
    let outcome = ctx.runner.feed(call, |stream| read(&mut BufReader::with_capacity(PART, stream), search, until));
    timer.finish_and_clear();
    let Reading { found, complete } = outcome?;
    let mut findings = Vec::new();
    for (name, object) in found {
        findings.push(Finding {
            subject: name.to_owned(),
            rule: "history",
            place: None,
            expected: "never committed".to_owned(),
            actual: told(ctx, tree, &object),
            fix: format!("`cargo xtask secrets rotate {name}`: whoever has the repository has this value"),
        });
    }
    let unread = format!("not all of git's history was looked at: reading it takes more than {} s", PATIENCE.as_secs());
    let unchecked = if complete { Vec::new() } else { vec![unread] };
    Ok(Looked { findings, unchecked, ..Looked::default() })
}

/// Where an object stands in the history.
fn told(ctx: &Context, tree: &Utf8Path, object: &str) -> String {
    let find = format!("--find-object={object}");
    let args = ["log", "--all", "--max-count=1", "--format=%h", "--name-only", &find];
    let said = ctx.runner.short(tree, "git", &args).unwrap_or_default();
    let mut lines = said.lines().filter(|line| !line.is_empty());
    match (lines.next(), lines.next()) {
        (Some(commit), Some(file)) => format!("in `{file}` of commit {commit}"),
        _ => format!("in the object {}", &object[..object.len().min(12)]),
    }
}

/// What reading has brought: the first object in which each secret was found, and whether everything was read.
#[derive(Debug, PartialEq)]
struct Reading<'a> {
    found: BTreeMap<&'a str, String>,
    complete: bool,
}

/// Reads what `git cat-file --batch` prints: for each object a line with its id, type and size, its bytes, and a line end.
fn read<'a>(stream: &mut dyn BufRead, search: &'a Search, until: Instant) -> Result<Reading<'a>> {
    let mut found = BTreeMap::new();
    let mut header = String::new();
    let cannot = |error: std::io::Error| Error::cannot(format!("cannot read git's history: {error}"));
    while stream.read_line(&mut header).map_err(cannot)? > 0 {
        let mut words = header.split_whitespace();
        let (Some(id), Some(kind), Some(size)) = (words.next(), words.next(), words.next().and_then(|size| size.parse().ok()))
        else {
            return Err(Error::cannot(format!("cannot read what `git cat-file` printed: `{}`", header.trim())));
        };
        let mut object = stream.take(size);
        if kind == "tree" {
            std::io::copy(&mut object, &mut std::io::sink()).map_err(cannot)?;
        } else {
            for name in search.find_in(&mut object).map_err(cannot)? {
                found.entry(name).or_insert_with(|| id.to_owned());
            }
        }
        stream.read_exact(&mut [0]).map_err(cannot)?;
        header.clear();
        if Instant::now() > until {
            return Ok(Reading { found, complete: false });
        }
    }
    Ok(Reading { found, complete: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Value;

    const SECRET: &str = "0123456789abcdef";

    fn search() -> Search {
        Search::new([("key", &Value::new(SECRET))])
    }

    fn later() -> Instant {
        Instant::now() + PATIENCE
    }

    #[test]
    fn every_object_but_trees_is_read() {
        let search = search();
        let objects = format!("a1 blob 3\nx\ny\nb2 tree 16\n{SECRET}\nc3 commit 20\nx={SECRET}\n\n\n");
        let read = read(&mut objects.as_bytes(), &search, later()).expect("whole");
        assert_eq!(read, Reading { found: BTreeMap::from([("key", "c3".to_owned())]), complete: true });
    }

    #[test]
    fn what_is_cut_off_is_an_error_and_what_takes_too_long_is_told() {
        let search = search();
        for text in ["a1 blob\n", "a1 blob 10\nx", "nonsense\n"] {
            read(&mut text.as_bytes(), &search, later()).expect_err(text);
        }
        let two = "a1 blob 1\nx\na2 blob 1\nx\n";
        assert!(!read(&mut two.as_bytes(), &search, Instant::now() - PATIENCE).expect("in part").complete);
    }
}
