//! Images as a Dockerfile writes them: where each stands, and whether its text can be changed there.

use super::{Dockerfile, SCRATCH};

/// An image that a Dockerfile names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// As it is written.
    pub text: String,
    /// The first line of the instruction that writes it, counted from 1.
    pub line: usize,
    /// How it is written.
    pub by: By,
}

/// How an image is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// In full, where it is used.
    Itself,
    /// In full, as the default of this global argument.
    Argument(String),
    /// Put together from pieces, so that no text is the image.
    Pieces,
}

impl Dockerfile {
    /// Every image that any stage names, in the order of their lines; each text once a line.
    pub fn references(&self) -> Vec<Reference> {
        let itself = |text: &str, line| Reference { text: text.to_owned(), line, by: By::Itself };
        let mut found: Vec<Reference> = self.syntax.iter().map(|syntax| itself(&syntax.reference, syntax.line)).collect();
        for (index, stage) in self.stages.iter().enumerate() {
            let base = stage.base.trim_matches(['"', '\'']);
            found.extend(Some(self.written(base, stage.line)).filter(|one| self.named(&one.text, index).is_none()));
            let sources = stage.sources.iter().filter(|(source, _)| self.target(Some(&source.reference)).is_none());
            found.extend(sources.map(|(source, _)| match source.reference.contains('$') {
                true => Reference { by: By::Pieces, ..itself(&source.reference, source.line) },
                false => itself(&source.reference, source.line),
            }));
        }
        found.retain(|one| one.text != SCRATCH && !one.text.is_empty());
        found.sort_by(|a, b| (a.line, &a.text).cmp(&(b.line, &b.text)));
        found.dedup();
        found
    }

    /// The image that `FROM` writes so.
    fn written(&self, base: &str, line: usize) -> Reference {
        let whole = |by| Reference { text: base.to_owned(), line, by };
        if !base.contains('$') {
            return whole(By::Itself);
        }
        let braced = base.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let name = braced.or_else(|| base.strip_prefix('$')).unwrap_or_default();
        let argument = self.globals.iter().rev().find(|argument| argument.name == name);
        let default = argument.and_then(|argument| Some((argument.default.as_deref()?, argument.line)));
        let of_argument = default.filter(|(text, _)| !text.contains('$'));
        match of_argument {
            Some((text, line)) => Reference { text: text.to_owned(), line, by: By::Argument(name.to_owned()) },
            None => whole(By::Pieces),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn images_are_found_where_they_are_written() {
        let text = "# syntax=front/end:1\nARG BASE=base:1\nARG V=2\nFROM $BASE AS a\nFROM maker:$V AS b\nFROM \"quoted:1\"\n\
                    COPY --from=a /x /x\nCOPY --from=tools:3 /y /y\nRUN --mount=from=linter:4,target=/l true\nFROM scratch\nFROM B\n\
                    FROM ${V:-x}\n";
        let told = |one: Reference| {
            let by = match one.by {
                By::Itself => "itself".to_owned(),
                By::Argument(name) => name,
                By::Pieces => "pieces".to_owned(),
            };
            format!("{} {} {by}", one.line, one.text)
        };
        assert_eq!(
            parse(text).references().into_iter().map(told).collect::<Vec<_>>(),
            [
                "1 front/end:1 itself",
                "2 base:1 BASE",
                "5 maker:$V pieces",
                "6 quoted:1 itself",
                "8 tools:3 itself",
                "9 linter:4 itself",
                "12 ${V:-x} pieces",
            ]
        );
    }
}
