//! The steps that made an image: each instruction as it stands in a Dockerfile, the layer it made, and its line there.

use super::manifest;
use super::secrets::redacted;

/// What is known of the Dockerfile an image was built from.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// How the Dockerfile is called; none where it is no file.
    pub dockerfile: Option<String>,
    /// Its instructions from the first stage that the image rests on to its own, `FROM` left out.
    pub instructions: Vec<Instruction>,
    /// The digests of the layers it begins from; none where that image is not known.
    pub base: Option<Vec<String>>,
}

/// An instruction of a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// In upper case.
    pub keyword: String,
    /// Its first line, counted from 1.
    pub line: usize,
}

/// A step that made an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The instruction, in one line, without secrets.
    pub instruction: String,
    /// Its line in the Dockerfile.
    pub line: Option<usize>,
    /// The position of the layer it made.
    pub layer: Option<usize>,
}

/// An image's steps, and how much of it is that of the image it begins from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The steps, the first first.
    pub steps: Vec<Step>,
    /// How many of the lowest layers are not its own Dockerfile's.
    pub base_layers: usize,
    /// How many of the first steps are not.
    pub base_steps: usize,
}

impl History {
    /// The history of an image with these layers.
    pub fn of(config: &manifest::Config, written: Option<&Written>) -> Self {
        let layers = &config.rootfs.diff_ids;
        let mut steps = steps(config, layers.len());
        let first_own = written.and_then(|written| align(&mut steps, &written.instructions));
        let known = written.and_then(|written| written.base.as_ref()).filter(|base| layers.starts_with(base)).map(Vec::len);
        let told = || first_own.map(|first| steps[..first].iter().filter(|step| step.layer.is_some()).count());
        let base_layers = known.or_else(told).unwrap_or_default();
        // Steps that made no layer stand behind the last layer of the base, or in the Dockerfile: its first line decides.
        let last_of_base = steps.iter().rposition(|step| step.layer.is_some_and(|layer| layer < base_layers));
        let base_steps = first_own.or(last_of_base.map(|last| last + 1)).unwrap_or_default();
        Self { base_layers, base_steps, steps }
    }

    /// The step that made a layer.
    pub fn of_layer(&self, layer: usize) -> Option<&Step> {
        self.steps.iter().find(|step| step.layer == Some(layer))
    }
}

/// The steps as they were written down. Where they do not add up to the layers, no step is known to have made any.
fn steps(config: &manifest::Config, layers: usize) -> Vec<Step> {
    let history = config.history.as_deref().unwrap_or_default();
    let adds_up = history.iter().filter(|step| !step.empty_layer).count() == layers;
    let mut next = 0..;
    let step = |step: &manifest::Step| {
        let text = if step.created_by.trim().is_empty() { &step.comment } else { &step.created_by };
        let layer = if adds_up && !step.empty_layer { next.next() } else { None };
        Step { instruction: redacted(&as_written(text)), line: None, layer }
    };
    history.iter().map(step).collect()
}

/// Gives the steps their lines, from the last one on, as long as step and instruction are of one kind. The first step that the
/// Dockerfile made, if all of its instructions were found.
fn align(steps: &mut [Step], instructions: &[Instruction]) -> Option<usize> {
    let is_one = |(step, instruction): &(&mut Step, &Instruction)| {
        step.instruction.split_whitespace().next() == Some(instruction.keyword.as_str())
    };
    let pairs = steps.iter_mut().rev().zip(instructions.iter().rev()).take_while(is_one);
    let found = pairs.map(|(step, instruction)| step.line = Some(instruction.line)).count();
    (found == instructions.len()).then(|| steps.len() - found)
}

/// An instruction as a Dockerfile has it, in one line, from what a builder wrote down: BuildKit the instruction with a remark, the
/// builder before it the command that its shell ran.
fn as_written(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.strip_suffix(" # buildkit").unwrap_or(&text);
    if let Some(instruction) = text.strip_prefix("/bin/sh -c #(nop) ") {
        return instruction.trim().to_owned();
    }
    let command = text.strip_prefix("RUN ").unwrap_or(text);
    // Build arguments stand before the command: `|2 A=1 B=2 /bin/sh -c …`.
    let command = command.strip_prefix('|').and_then(|rest| rest.find("/bin/sh -c ").map(|at| &rest[at..])).unwrap_or(command);
    match command.strip_prefix("/bin/sh -c ") {
        Some(command) => format!("RUN {command}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(steps: &[(&str, bool)], layers: usize) -> manifest::Config {
        let step = |(text, empty): &(&str, bool)| manifest::Step {
            created_by: (*text).to_owned(),
            empty_layer: *empty,
            ..Default::default()
        };
        let rootfs = manifest::RootFs { diff_ids: (0..layers).map(|at| format!("sha256:{at}")).collect() };
        manifest::Config { history: Some(steps.iter().map(step).collect()), rootfs, ..Default::default() }
    }

    fn written(instructions: &[(&str, usize)], base: Option<usize>) -> Written {
        let instruction = |(keyword, line): &(&str, usize)| Instruction { keyword: (*keyword).to_owned(), line: *line };
        let base = base.map(|layers| (0..layers).map(|at| format!("sha256:{at}")).collect());
        Written { instructions: instructions.iter().map(instruction).collect(), base, ..Written::default() }
    }

    #[test]
    fn instructions_are_told_as_they_are_written() {
        for (noted, told) in [
            ("COPY a /b # buildkit", "COPY a /b"),
            ("RUN /bin/sh -c apt-get update && \t true # buildkit", "RUN apt-get update && true"),
            ("RUN |1 A=b /bin/sh -c make # buildkit", "RUN make"),
            ("|2 A=b C=d /bin/sh -c make", "RUN make"),
            ("/bin/sh -c #(nop)  CMD [\"sh\"]", "CMD [\"sh\"]"),
            ("/bin/sh -c make", "RUN make"),
            ("# debian.sh --arch amd64", "# debian.sh --arch amd64"),
            ("|1 lonely", "|1 lonely"),
        ] {
            assert_eq!(as_written(noted), told);
        }
    }

    #[test]
    fn steps_have_their_layers_and_lines() {
        let config =
            config(&[("COPY rootfs /", false), ("CMD x", true), ("ENV A=1", true), ("COPY a /", false), ("USER 1", true)], 2);
        let history = History::of(&config, Some(&written(&[("ENV", 3), ("COPY", 4), ("USER", 5)], None)));
        let told: Vec<_> = history.steps.iter().map(|step| (step.layer, step.line)).collect();
        assert_eq!(told, [(Some(0), None), (None, None), (None, Some(3)), (Some(1), Some(4)), (None, Some(5))]);
        assert_eq!((history.base_layers, history.base_steps), (1, 2));
        assert_eq!((history.steps.len(), history.of_layer(1).map(|step| step.instruction.as_str())), (5, Some("COPY a /")));
    }

    #[test]
    fn a_dockerfile_that_has_changed_gives_no_lines_above_the_change() {
        let config = config(&[("COPY a /", false), ("RUN x", false), ("USER 1", true)], 2);
        let history = History::of(&config, Some(&written(&[("RUN", 2), ("COPY", 3), ("USER", 4)], None)));
        assert_eq!(history.steps.iter().map(|step| step.line).collect::<Vec<_>>(), [None, None, Some(4)]);
        assert_eq!(history.base_layers, 0);
    }

    #[test]
    fn the_base_image_itself_is_believed_first() {
        let config = config(&[("COPY a /", false), ("COPY b /", false)], 2);
        assert_eq!(History::of(&config, Some(&written(&[("COPY", 2), ("COPY", 3)], Some(1)))).base_layers, 1);
        assert_eq!(
            History::of(&config, Some(&written(&[("COPY", 2), ("COPY", 3)], Some(3)))).base_layers,
            0,
            "not its beginning"
        );
        assert_eq!(History::of(&config, None).base_layers, 0);
    }

    #[test]
    fn steps_that_do_not_add_up_have_no_layers() {
        let history = History::of(&config(&[("COPY a /", false)], 2), None);
        assert_eq!((history.steps[0].layer, history.of_layer(0)), (None, None));
    }
}
