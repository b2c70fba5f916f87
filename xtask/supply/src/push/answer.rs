//! What a push has to say: a row for each tag in each registry, what became of it, and what is wrong.

use serde::Serialize;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::report;
use crate::report::table::{Align, Table};
use crate::stack::{Bytes, ImageRef};

/// What became of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The engine sent the image.
    Pushed,
    /// It meant this image already.
    There,
    /// It means this image now.
    Tagged,
    /// It means what it meant before, or nothing.
    Untouched,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::There => "there",
            Self::Tagged => "tagged",
            Self::Untouched => "untouched",
        }
    }
}

/// A tag in a registry.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Registry and repository.
    pub image: String,
    /// The tag.
    pub tag: String,
    /// Whether it follows what is newest.
    pub floating: bool,
    /// What it means now; none where it means nothing, or nobody knows.
    pub digest: Option<String>,
    /// What became of it.
    pub state: State,
    /// Bytes of layers that were sent, as the registry has them.
    pub bytes_sent: u64,
    /// Layers that were sent.
    pub layers_sent: usize,
    /// Layers that the registry had.
    pub layers_there: usize,
}

impl Row {
    /// A tag that nothing has been done with yet.
    pub fn untouched(tag: &ImageRef, floating: bool, digest: Option<String>) -> Self {
        let (image, tag) = (tag.name(), tag.tag.clone().unwrap_or_default());
        Self { image, tag, floating, digest, state: State::Untouched, bytes_sent: 0, layers_sent: 0, layers_there: 0 }
    }
}

/// The whole answer.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Whether every tag means what it is to mean, verified.
    pub passed: bool,
    /// The tags: those that never move first.
    pub tags: Vec<Row>,
    /// What is wrong.
    pub errors: Vec<Error>,
}

impl Answer {
    /// Gives it, with the errors on stderr.
    ///
    /// # Errors
    /// [`Error::answered`] where something is wrong, an interrupt as it is; an answer that cannot be written.
    pub fn give(self, ctx: &Context) -> Result<()> {
        let (passed, interrupted) = (self.passed, ctx.runner.cancel().is_set());
        self.errors.iter().filter(|_| !interrupted).for_each(|error| ctx.ui.error(error));
        if ctx.json() {
            report::json(&self)?
        } else {
            report::text(&self.table())?
        }
        match passed {
            true => Ok(()),
            false if interrupted => Err(Error::interrupted()),
            false => Err(Error::answered()),
        }
    }

    fn table(&self) -> String {
        let left = |name| (name, Align::Left);
        let mut table =
            Table::new([left("image"), left("tag"), left("digest"), left("state"), ("sent", Align::Right), left("layers")]);
        for row in &self.tags {
            let digest = row.digest.as_deref().and_then(|digest| digest.split_once(':')?.1.get(..12)).unwrap_or("-");
            let pushed = row.state == State::Pushed;
            let layers = format!("{} sent, {} there", row.layers_sent, row.layers_there);
            table.row([
                row.image.clone(),
                row.tag.clone(),
                digest.to_owned(),
                row.state.name().to_owned(),
                if pushed { Bytes(row.bytes_sent).to_string() } else { String::new() },
                if pushed { layers } else { String::new() },
            ]);
        }
        table.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_what_is_where() {
        let tag: ImageRef = "r.example/a:1.2".parse().expect("a reference");
        let digest = Some(format!("sha256:{}", "0123456789abcdef".repeat(4)));
        let pushed = Row {
            state: State::Pushed,
            bytes_sent: 1_500_000,
            layers_sent: 2,
            layers_there: 1,
            ..Row::untouched(&tag, false, digest)
        };
        let rows = vec![pushed, Row::untouched(&tag, true, None)];
        let answer = Answer { passed: false, tags: rows, errors: Vec::new() };
        assert_eq!(
            answer.table(),
            "image        tag  digest        state        sent  layers\n\
             r.example/a  1.2  0123456789ab  pushed     1.5 MB  2 sent, 1 there\n\
             r.example/a  1.2  -             untouched\n"
        );
    }
}
