//! Keys, tokens and environment files. Whoever has the image has every layer of it, whatever a later one deletes.

use super::{Broken, Found, Place, Scene};
use crate::history::Step;
use crate::report::Level;
use crate::secrets::{REDACTED, Secret};
use crate::tar::Kind;
use crate::view::Spot;

const FIX: &str =
    "rotate it, since whoever has the image has it; give it to builds with `RUN --mount=type=secret`, to services as a file";

const FIX_STEP: &str = "rotate it, since whoever has the image has it; mount it with `RUN --mount=type=secret` instead";

const FIX_ENV: &str = "name it in `.dockerignore`, and give its values to the service when it runs";

/// How names end of files that hold no values of anybody's own.
const EXAMPLES: [&[u8]; 7] = [b".example", b".sample", b".template", b".dist", b".defaults", b".tpl", b".schema"];

/// Finds them.
pub fn find(scene: &Scene<'_>, found: &mut Found) {
    in_steps(scene).for_each(|broken| found.add(broken));
    for (layer, index) in scene.view.layers.iter().zip(0_u32..) {
        for (item, secret) in &layer.secrets {
            found.add(in_file(scene, Spot { layer: index, item: *item }, *secret));
        }
        for (item, position) in layer.items.iter().zip(0_u32..).filter(|(item, _)| item.kind == Kind::File && item.size > 0) {
            if is_environment(scene.view.paths.name(item.path)) {
                found.add(environment_file(scene, Spot { layer: index, item: position }));
            }
        }
    }
}

fn in_file(scene: &Scene<'_>, spot: Spot, secret: Secret) -> Broken {
    let worst = if scene.is_published(scene.view.item(spot).path) { Level::Warning } else { Level::Error };
    let (rule, what) = match secret {
        Secret::PrivateKey => ("private-key", "a private key".to_owned()),
        Secret::Token(whose) => ("token", format!("a token of {whose}")),
    };
    scene.at(rule, worst, spot, what, FIX)
}

fn environment_file(scene: &Scene<'_>, spot: Spot) -> Broken {
    let worst = if scene.is_published(scene.view.item(spot).path) { Level::Warning } else { Level::Error };
    scene.at("env-file", worst, spot, "an environment file".to_owned(), FIX_ENV)
}

fn in_steps(scene: &Scene<'_>) -> impl Iterator<Item = Broken> {
    let broken = |(index, _): (usize, &Step)| Broken {
        rule: "token",
        level: if index < scene.history.base_steps { Level::Warning } else { Level::Error },
        place: Place::Step(index),
        deleted: false,
        message: "a secret in an instruction".to_owned(),
        fix: FIX_STEP,
    };
    let steps = scene.history.steps.iter().enumerate();
    steps.filter(|(_, step)| step.instruction.contains(REDACTED)).map(broken)
}

/// `.env`, `.env.production` and so on, examples left out.
fn is_environment(name: &[u8]) -> bool {
    let own = name == b".env" || name.starts_with(b".env.");
    own && !EXAMPLES.iter().any(|end| name.ends_with(end))
}
