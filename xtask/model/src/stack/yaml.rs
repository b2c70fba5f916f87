//! YAML as a tree that knows its lines: what [`granit_parser`] sees, put together. What the words mean is decided by the core
//! schema of YAML 1.2, which is what compose prints.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value as Json};

/// How deep collections may stand in one another, and how many values a text may have once its aliases are followed. A text
/// beyond them is no project that anybody wrote.
const DEEPEST: usize = 100;
const MOST: usize = 1_000_000;

/// A value and the line at which it begins, counted from 1.
#[derive(Clone, Debug)]
pub struct Node {
    /// The line.
    pub line: usize,
    /// What stands there.
    pub value: Value,
}

/// What stands in a place.
#[derive(Clone, Debug)]
pub enum Value {
    /// A word or a text. A plain one, without quotes and tag, may mean a number, a truth value or nothing.
    Scalar {
        /// The characters.
        text: String,
        /// Whether it is plain.
        is_plain: bool,
    },
    /// Values in their order.
    Sequence(Vec<Node>),
    /// Keys with their lines and values. Merged pairs stand where the merge key was; of several with one key the first counts.
    Mapping(Vec<(String, usize, Node)>),
}

impl Value {
    /// What it means.
    pub fn json(&self) -> Json {
        match self {
            Self::Scalar { text, is_plain: true } => plain(text),
            Self::Scalar { text, .. } => Json::String(text.clone()),
            Self::Sequence(items) => items.iter().map(|item| item.value.json()).collect(),
            Self::Mapping(pairs) => {
                Json::Object(pairs.iter().rev().map(|(name, _, node)| (name.clone(), node.value.json())).collect::<Map<_, _>>())
            }
        }
    }
}

/// What a plain word means.
fn plain(word: &str) -> Json {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" => Json::Bool(true),
        "false" | "False" | "FALSE" => Json::Bool(false),
        _ => number(word).map_or_else(|| Json::String(word.to_owned()), Json::Number),
    }
}

/// A number. What JSON has no number for, such as `.inf`, is none.
fn number(word: &str) -> Option<Number> {
    let digits = |prefix| word.strip_prefix(prefix).filter(|digits| !digits.starts_with('+'));
    let radix = |prefix, radix| digits(prefix).map(|digits| u64::from_str_radix(digits, radix).ok().map(Number::from));
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return number;
    }
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !unsigned.is_empty() && is_digits(unsigned) {
        let whole = word.parse::<u64>().map(Number::from).or_else(|_| word.parse::<i64>().map(Number::from));
        return whole.ok().or_else(|| Number::from_f64(word.parse().ok()?));
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = is_digits(whole) && is_digits(fraction) && is_digits(exponent);
    let has_digits = !(exponent.is_empty() || whole.is_empty() && fraction.is_empty());
    (is_number && has_digits).then(|| Number::from_f64(word.parse().ok()?)).flatten()
}

/// Why a text is no YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line at which it stops being YAML, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub why: String,
}

/// What a text means; a text without any value means nothing.
///
/// # Errors
/// It is no YAML.
pub fn json(text: &str) -> Result<Json, Broken> {
    Ok(parse(text)?.map_or(Json::Null, |node| node.value.json()))
}

/// Reads the first document of a text; none if it has no value.
///
/// # Errors
/// It is no YAML.
pub fn parse(text: &str) -> Result<Option<Node>, Broken> {
    let options = granit_parser::options! { emit_comments: false };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { parser, anchors: HashMap::new(), line: 1, depth: 0, values: 0 };
    loop {
        match reader.event()? {
            Event::StreamStart | Event::DocumentStart(..) => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(None),
            event => return reader.node(event).map(Some),
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    /// What an anchor names, and how many values that is.
    anchors: HashMap<usize, (Node, usize)>,
    /// Where the last event began.
    line: usize,
    depth: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn event(&mut self) -> Result<Event<'a>, Broken> {
        match self.parser.next() {
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => Err(Broken { line: error.marker().line(), why: error.info().to_owned() }),
            None => Ok(Event::StreamEnd),
        }
    }

    fn broken<T>(&self, why: impl Into<String>) -> Result<T, Broken> {
        Err(Broken { line: self.line, why: why.into() })
    }

    fn count(&mut self, values: usize) -> Result<(), Broken> {
        self.values += values;
        if self.values > MOST { self.broken(format!("more than {MOST} values")) } else { Ok(()) }
    }

    fn node(&mut self, event: Event<'a>) -> Result<Node, Broken> {
        let (line, before) = (self.line, self.values);
        self.count(1)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain && tag.is_none();
                (Value::Scalar { text: text.into_owned(), is_plain }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.within(Self::sequence)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.within(Self::mapping)?, anchor),
            Event::Alias(id) => {
                let Some((node, values)) = self.anchors.get(&id).cloned() else {
                    return self.broken("an alias stands inside of what it names");
                };
                self.count(values)?;
                return Ok(node);
            }
            _ => return self.broken("the text ends inside of a value"),
        };
        let node = Node { line, value };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.values - before));
        }
        Ok(node)
    }

    fn within(&mut self, read: fn(&mut Self) -> Result<Value, Broken>) -> Result<Value, Broken> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.broken(format!("more than {DEEPEST} collections in one another"));
        }
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn sequence(&mut self) -> Result<Value, Broken> {
        let mut items = Vec::new();
        loop {
            match self.event()? {
                Event::SequenceEnd => return Ok(Value::Sequence(items)),
                event => items.push(self.node(event)?),
            }
        }
    }

    fn mapping(&mut self) -> Result<Value, Broken> {
        let (mut pairs, mut merged) = (Vec::new(), Vec::new());
        loop {
            let event = self.event()?;
            if event == Event::MappingEnd {
                // Behind those that are written here, since the first counts.
                pairs.extend(merged);
                return Ok(Value::Mapping(pairs));
            }
            let key = self.node(event)?;
            let event = self.event()?;
            let node = self.node(event)?;
            let Value::Scalar { text, is_plain } = key.value else { continue };
            if is_plain && text == "<<" { merge(node, &mut merged) } else { pairs.push((text, key.line, node)) }
        }
    }
}

/// Adds what a merge key brings in: the pairs of a mapping, or of several, of which the first wins.
fn merge(from: Node, pairs: &mut Vec<(String, usize, Node)>) {
    match from.value {
        Value::Mapping(merged) => pairs.extend(merged),
        Value::Sequence(items) => items.into_iter().for_each(|item| merge(item, pairs)),
        Value::Scalar { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Json {
        json(text).unwrap_or_else(|broken| panic!("{text}: {broken:?}"))
    }

    #[test]
    fn plain_words_mean_what_the_core_schema_says() {
        let words = "[~, null, '', true, FALSE, yes, on, 0, -7, +7, 007, 0x1F, 0o17, 1.5, -.5, 1e3, 1., ., -x, 1_000, 0x, 0x+1, .inf, 1:30, '1', \"2\", !!str 3]";
        let meant = json!([
            null, null, "", true, false, "yes", "on", 0, -7, 7, 7, 31, 15, 1.5, -0.5, 1000.0, 1.0, ".", "-x", "1_000", "0x",
            "0x+1", ".inf", "1:30", "1", "2", "3"
        ]);
        assert_eq!(read(words), meant);
        assert_eq!(read("18446744073709551615"), json!(u64::MAX));
        assert_eq!(read("18446744073709551616"), json!(18_446_744_073_709_551_616.0));
        assert_eq!(read(""), Json::Null);
    }

    #[test]
    fn what_is_written_wins_over_what_is_merged() {
        let text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nafter: {<<: *x, a: 3}\nbefore: {a: 3, <<: *x}\nboth: {<<: [*x, *y]}\n'<<': &z [1]\nagain: *z\n";
        let read = read(text);
        assert_eq!((&read["after"], &read["before"]), (&json!({"a": 3, "b": 1}), &json!({"a": 3, "b": 1})));
        assert_eq!((&read["both"], &read["again"]), (&json!({"a": 1, "b": 1, "c": 2}), &json!([1])));
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_line() {
        let told = |text: &str| json(text).expect_err("broken");
        assert_eq!(told("a: 1\nb: [1\nc: 2\n").line, 3);
        assert_eq!(told("a: &a [*a]").why, "an alias stands inside of what it names");
        for (open, close) in [("[", "]"), ("- ", ""), ("{a: ", "}")] {
            let nested = |deep: usize| open.repeat(deep) + &close.repeat(deep);
            assert!(json(&nested(DEEPEST)).is_ok());
            assert_eq!(told(&nested(DEEPEST + 1)).why, "more than 100 collections in one another");
            let _why = told(&nested(100_000));
        }
        let bomb = (1..10).fold("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            format!("{text}a{level}: &a{level} [{aliases}]\n")
        });
        assert_eq!(told(&bomb), Broken { line: 6, why: "more than 1000000 values".into() });
    }

    /// Values as a compose project has them.
    fn values() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            (-1e9..1e9).prop_map(|number: f64| json!(number)),
            "[ -~\\n\\tà-ü€😀]*".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            let keys = "[a-z \\-$.0-9]{0,8}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::btree_map(keys, inner, 0..6).prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_yaml(value in values()) {
            prop_assert_eq!(json(&value.to_string()), Ok(value));
        }

        #[test]
        fn a_word_means_what_another_reader_says(word in "[-+.0-9eExo]{1,6}|[a-zA-Z~]{1,5}") {
            // That reader also knows the words of YAML 1.1 and infinity, for which JSON has nothing, and takes 00 for 0.0.
            let digits = word.trim_start_matches(['-', '+']);
            prop_assume!(!(digits.starts_with('0') && digits[1..].starts_with(|next: char| next.is_ascii_digit())));
            if let (Ok(ours), Ok(theirs)) = (json(&word), serde_saphyr::from_str::<Json>(&word)) {
                prop_assert!(ours == theirs || ours.is_string(), "{}: {} and {}", word, ours, theirs);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*", lines in "([-a&*<:?|>'\"{}\\[\\] ,#!%]|\n|\t){0,40}") {
            let _any = (json(&text), json(&lines));
        }
    }
}
