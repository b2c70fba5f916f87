//! From an image's layers to its figures.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::archive::{Archive, Image};
use super::findings::{Scene, findings};
use super::history::{History, Written};
use super::packages::packages;
use super::report::{FileFigures, InstructionFigures, LayerFigures, Measured};
use super::tar::Kind;
use super::tree::{Sums, tree};
use super::view::{Spot, View};
use super::waste::waste;

/// How many of the largest files are told.
const LARGEST: usize = 50;

/// What is known of an image besides what is in it.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The services that run it.
    pub services: Vec<String>,
    /// What it is called.
    pub reference: String,
    /// Whether it rests on a stand-in for an upstream image.
    pub stand_in: bool,
    /// Whether it is meant for production, where nothing of development belongs.
    pub production: bool,
    /// The largest size it may have.
    pub budget: Option<u64>,
    /// What it was built from.
    pub written: Option<Written>,
}

/// Measures an image of an archive.
pub fn measure(archive: &Archive, image: &Image, subject: &Subject) -> Measured {
    let view = View::new(archive, image);
    let history = History::of(&image.config, subject.written.as_ref());
    let dockerfile = subject.written.as_ref().and_then(|written| written.dockerfile.as_ref());
    let layers = layers(&view, &history, dockerfile);
    let scene =
        Scene { view: &view, history: &history, dockerfile: dockerfile.map(String::as_str), production: subject.production };
    let sums = Sums::of(&view);
    let (waste, wasted_bytes) = waste(&view);
    let content_bytes = layers.iter().map(|layer| layer.content_bytes).sum();
    let own_bytes = layers.iter().filter(|layer| layer.own).map(|layer| layer.content_bytes).sum();
    Measured {
        service: subject.services.first().cloned(),
        services: subject.services.clone(),
        reference: subject.reference.clone(),
        id: image.id.clone(),
        stand_in: subject.stand_in,
        platform: image.config.platform(),
        content_bytes,
        transfer_bytes: layers.iter().map(|layer| layer.transfer_bytes).sum(),
        own_bytes,
        base_bytes: content_bytes - own_bytes,
        files: view.files().count() as u64,
        budget_bytes: subject.budget,
        over_bytes: subject.budget.map_or(0, |budget| content_bytes.saturating_sub(budget)),
        instructions: instructions(&view, &history, dockerfile),
        directories: tree(&view, &sums),
        packages: packages(&view, &sums),
        largest: largest(&view),
        wasted_bytes,
        waste,
        findings: findings(&scene),
        layers,
        ..Measured::default()
    }
}

fn layers(view: &View<'_>, history: &History, dockerfile: Option<&String>) -> Vec<LayerFigures> {
    let figures = |(index, layer): (usize, &&super::layer::Layer)| {
        let step = history.of_layer(index).cloned().unwrap_or_default();
        LayerFigures {
            index,
            digest: layer.digest.clone(),
            content_bytes: layer.content_bytes,
            transfer_bytes: layer.transfer_bytes,
            files: layer.items.iter().filter(|item| item.kind != Kind::Directory).count() as u64,
            own: index >= history.base_layers,
            instruction: step.instruction,
            dockerfile: dockerfile.filter(|_| step.line.is_some()).cloned(),
            line: step.line,
        }
    };
    view.layers.iter().enumerate().map(figures).collect()
}

fn instructions(view: &View<'_>, history: &History, dockerfile: Option<&String>) -> Vec<InstructionFigures> {
    let figures = |step: &super::history::Step| InstructionFigures {
        instruction: step.instruction.clone(),
        dockerfile: dockerfile.filter(|_| step.line.is_some()).cloned(),
        line: step.line,
        bytes: step.layer.map_or(0, |layer| view.layers[layer].content_bytes),
        layer: step.layer,
    };
    history.steps.iter().map(figures).collect()
}

/// The largest files, found without sorting a million of them.
fn largest(view: &View<'_>) -> Vec<FileFigures> {
    let mut found: BinaryHeap<Reverse<(u64, Spot)>> = BinaryHeap::new();
    for (spot, bytes) in view.files().filter(|(_, bytes)| *bytes > 0) {
        let is_full = found.len() == LARGEST;
        if is_full && found.peek().is_some_and(|Reverse((least, _))| *least >= bytes) {
            continue;
        }
        if is_full {
            found.pop();
        }
        found.push(Reverse((bytes, spot)));
    }
    let figures = |Reverse((bytes, spot)): Reverse<(u64, Spot)>| FileFigures {
        path: view.paths.shown(view.item(spot).path),
        bytes,
        layer: spot.layer as usize,
    };
    let mut files: Vec<FileFigures> = found.into_iter().map(figures).collect();
    files.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::read;
    use crate::history::Instruction;
    use crate::testing;

    fn measured(image: &testing::Image, subject: &Subject) -> Measured {
        let archive = read(&image.saved("a:1")[..], "`x`", false).expect("right");
        measure(&archive, &archive.images[0], subject)
    }

    #[test]
    fn a_file_is_told_to_the_byte_at_its_path_and_instruction() {
        let base = testing::Archive::new().file("bin/sh", &[1; 2_000_000]);
        let big = testing::Archive::new().file("srv/big", &vec![7; 10_000_000]);
        let image = testing::Image::default().layer("ADD rootfs /", base).layer("COPY big /srv/ # buildkit", big).step("USER 1");
        let instruction = |keyword: &str, line| Instruction { keyword: keyword.to_owned(), line };
        let instructions = vec![instruction("COPY", 2), instruction("USER", 3)];
        let written = Written { dockerfile: Some("Dockerfile".to_owned()), instructions, base: None };
        let subject = Subject { written: Some(written), budget: Some(11_000_000), ..Subject::default() };
        let told = measured(&image, &subject);
        assert_eq!(
            (told.content_bytes, told.own_bytes, told.base_bytes, told.over_bytes),
            (12_000_000, 10_000_000, 2_000_000, 1_000_000)
        );
        assert_eq!(told.largest[0], FileFigures { path: "/srv/big".to_owned(), bytes: 10_000_000, layer: 1 });
        let step = &told.instructions[1];
        assert_eq!(
            (step.instruction.as_str(), step.line, step.bytes, step.layer),
            ("COPY big /srv/", Some(2), 10_000_000, Some(1))
        );
        assert_eq!((told.layers[0].own, told.layers[1].own, told.directories.bytes), (false, true, 12_000_000));
    }

    #[test]
    fn only_the_largest_files_are_told() {
        let layer = (0..=LARGEST).fold(testing::Archive::new(), |layer, at| layer.file(&format!("f{at}"), &vec![0; at]));
        let told = measured(&testing::Image::default().layer("COPY", layer), &Subject::default()).largest;
        assert_eq!((told.len(), told[0].bytes, told[LARGEST - 1].bytes), (LARGEST, LARGEST as u64, 1));
    }
}
