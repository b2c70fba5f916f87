//! A parser of Prometheus' text format, version 0.0.4: names, labels, values, types. It says whether an answer is what a
//! scraper could read and which metrics it holds; judging values is the caller's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::http::short;
pub use crate::stack::probe::Kind;

/// One line with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The name as it stands there, with `_bucket`, `_sum` or `_count`.
    pub name: String,
    /// Labels, unescaped.
    pub labels: BTreeMap<String, String>,
    /// The value; may be infinite or not a number.
    pub value: f64,
    /// Milliseconds since the epoch, if given.
    pub timestamp: Option<i64>,
}

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    /// The types that are told.
    pub kinds: BTreeMap<String, Kind>,
    /// The samples in their order.
    pub samples: Vec<Sample>,
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it, and its text.
    pub what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Exposition {
    /// Whether there is a sample of a metric. A histogram's or summary's name stands for its `_bucket`, `_sum` and `_count`.
    pub fn has(&self, name: &str) -> bool {
        self.samples.iter().any(|sample| sample.name == name || self.family(&sample.name) == name)
    }

    /// The type of a metric; untyped where the answer does not say.
    pub fn kind(&self, name: &str) -> Kind {
        self.kinds.get(name).copied().unwrap_or(Kind::Untyped)
    }

    /// The metric that a sample's name belongs to.
    fn family<'a>(&self, name: &'a str) -> &'a str {
        let of = |suffix: &str, kinds: &[Kind]| {
            name.strip_suffix(suffix).filter(|family| self.kinds.get(*family).is_some_and(|kind| kinds.contains(kind)))
        };
        let both = [Kind::Histogram, Kind::Summary];
        of("_bucket", &[Kind::Histogram]).or_else(|| of("_sum", &both)).or_else(|| of("_count", &both)).unwrap_or(name)
    }
}

/// Reads a whole answer.
///
/// # Errors
/// The first line that is not in the format, that repeats a sample, or whose `TYPE` comes twice or too late.
pub fn parse(text: &str) -> Result<Exposition, Wrong> {
    let mut found = Exposition::default();
    let mut seen = BTreeSet::new();
    for (index, line) in text.split('\n').enumerate() {
        read(line, &mut found, &mut seen)
            .map_err(|what| Wrong { line: index + 1, what: format!("{what} in `{}`", short(line.trim())) })?;
    }
    Ok(found)
}

/// A sample's identity: the format allows each once.
type Seen = BTreeSet<(String, BTreeMap<String, String>)>;

fn read(line: &str, found: &mut Exposition, seen: &mut Seen) -> Result<(), String> {
    let mut cursor = Cursor(line);
    cursor.blanks();
    if cursor.0.is_empty() {
        return Ok(());
    }
    if let Some(comment) = cursor.0.strip_prefix('#') {
        return read_comment(Cursor(comment), found);
    }
    let sample = read_sample(&mut cursor)?;
    if !seen.insert((sample.name.clone(), sample.labels.clone())) {
        return Err(format!("`{}` comes twice with the same labels", sample.name));
    }
    found.samples.push(sample);
    Ok(())
}

/// `HELP` and `TYPE` have a meaning; any other comment has none.
fn read_comment(mut cursor: Cursor<'_>, found: &mut Exposition) -> Result<(), String> {
    cursor.blanks();
    match cursor.word() {
        "HELP" => cursor.name(Naming::Metric).map(drop),
        "TYPE" => {
            let name = cursor.name(Naming::Metric)?;
            let kind = kind(cursor.word())?;
            cursor.end()?;
            if found.kinds.contains_key(name) {
                return Err(format!("a second type for `{name}`"));
            }
            found.kinds.insert(name.to_owned(), kind);
            // A type that comes after its samples would change what they mean.
            if found.has(name) { Err(format!("the type of `{name}` comes after its first sample")) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

fn kind(word: &str) -> Result<Kind, String> {
    Ok(match word {
        "counter" => Kind::Counter,
        "gauge" => Kind::Gauge,
        "histogram" => Kind::Histogram,
        "summary" => Kind::Summary,
        "untyped" => Kind::Untyped,
        other => return Err(format!("unknown type `{other}`")),
    })
}

fn read_sample(cursor: &mut Cursor<'_>) -> Result<Sample, String> {
    let name = cursor.name(Naming::Metric)?.to_owned();
    let labels = read_labels(cursor)?;
    let value = number(cursor.word())?;
    let timestamp = match cursor.word() {
        "" => None,
        word => Some(word.parse().map_err(|_| format!("`{word}` is no timestamp"))?),
    };
    cursor.end()?;
    Ok(Sample { name, labels, value, timestamp })
}

fn number(word: &str) -> Result<f64, String> {
    match word {
        "" => Err("no value".to_owned()),
        word => word.parse().map_err(|_| format!("`{word}` is no number")),
    }
}

fn read_labels(cursor: &mut Cursor<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut labels = BTreeMap::new();
    if !cursor.eat('{') {
        return Ok(labels);
    }
    while !cursor.eat('}') {
        let name = cursor.name(Naming::Label)?;
        cursor.need('=')?;
        let value = cursor.quoted()?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("label `{name}` comes twice"));
        }
        if !cursor.eat(',') {
            cursor.need('}')?;
            break;
        }
    }
    Ok(labels)
}

/// What a name may hold: a metric's may hold colons.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Metric,
    Label,
}

/// What is left of a line. Every method but [`Cursor::blanks`] passes over the blanks after what it takes.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    fn blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        self.blanks();
        taken
    }

    /// What stands before the next blank; empty at the end.
    fn word(&mut self) -> &'a str {
        self.take(self.0.find([' ', '\t']).unwrap_or(self.0.len()))
    }

    fn name(&mut self, naming: Naming) -> Result<&'a str, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == ':' && naming == Naming::Metric);
        let length = self.0.find(|c| !fits(c)).unwrap_or(self.0.len());
        let what = if naming == Naming::Metric { "metric" } else { "label" };
        if length == 0 || self.0.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("no {what} name"));
        }
        Ok(self.take(length))
    }

    fn eat(&mut self, wanted: char) -> bool {
        let there = self.0.starts_with(wanted);
        if there {
            self.take(wanted.len_utf8());
        }
        there
    }

    fn need(&mut self, wanted: char) -> Result<(), String> {
        if self.eat(wanted) { Ok(()) } else { Err(format!("no `{wanted}`")) }
    }

    /// A text in double quotes, in which `\\`, `\"` and `\n` are escapes.
    fn quoted(&mut self) -> Result<String, String> {
        let inner = self.0.strip_prefix('"').ok_or("no `\"`")?;
        let mut value = String::new();
        let mut characters = inner.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.take(at + 2);
                    return Ok(value);
                }
                '\\' => value.push(match characters.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, same @ ('\\' | '"'))) => same,
                    _ => return Err("an unknown escape".to_owned()),
                }),
                other => value.push(other),
            }
        }
        Err("no closing `\"`".to_owned())
    }

    fn end(&self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("`{}` is too much", short(self.0))) }
    }
}

#[cfg(test)]
mod tests;
