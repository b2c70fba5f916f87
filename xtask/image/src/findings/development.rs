//! What only development needs, in an image that is meant for production: packages, compilers, sources.

use std::collections::BTreeSet;

use super::{Broken, Found, Scene};
use crate::packages::Fact;
use crate::paths::PathId;
use crate::report::Level;
use crate::tar::Kind;
use crate::view::Spot;

/// How names end of what is compiled before it runs.
const SOURCES: [&[u8]; 13] =
    [b".ts", b".tsx", b".mts", b".rs", b".go", b".java", b".kt", b".scala", b".c", b".cc", b".cpp", b".cs", b".swift"];

/// Types for those who compile against a package; some packages read their own.
const TYPES: [&[u8]; 3] = [b".d.ts", b".d.mts", b".d.cts"];

/// Folders of `/usr` and `/usr/local` that packages fill.
const SYSTEM: [&[u8]; 5] = [b"include", b"lib", b"lib64", b"libexec", b"share"];

/// Debian packages that make programs, besides everything that ends in `-dev`.
const TOOLS: [&str; 10] = ["build-essential", "gcc", "g++", "make", "cmake", "clang", "git", "cargo", "rustc", "npm"];

/// How many names stand in a message.
const NAMED: usize = 5;

/// Finds them.
pub fn find(scene: &Scene<'_>, found: &mut Found) {
    let all = [by_npm(scene), by_manifest(scene), tools(scene), sources(scene), repositories(scene)];
    all.into_iter().flatten().for_each(|broken| found.add(broken));
}

/// What the files that a container sees say of packages.
fn facts<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = (Spot, PathId, &'a Fact)> {
    scene.view.facts().into_iter().filter_map(|(path, fact)| Some((scene.view.at(path)?, path, fact)))
}

/// Node folders of which npm itself says what only development needs.
fn by_npm(scene: &Scene<'_>) -> Vec<Broken> {
    let paths = scene.view.paths;
    let mut found = Vec::new();
    for (spot, path, fact) in facts(scene) {
        let Fact::Development(packages) = fact else { continue };
        let around: Vec<&[u8]> = parts(scene, paths.folder(paths.folder(path)));
        let is_there = |package: &&String| {
            let parts = around.iter().copied().chain(package.split('/').map(str::as_bytes)).chain([&b"package.json"[..]]);
            paths.find(parts).is_some_and(|path| scene.view.at(path).is_some())
        };
        let name = |package: &String| package.rsplit_once("node_modules/").map_or(package.clone(), |(_, name)| name.to_owned());
        let there: BTreeSet<String> = packages.iter().filter(is_there).map(name).collect();
        found.extend(unneeded(scene, spot, &there));
    }
    found
}

/// Node folders without npm's list: what the manifest beside them says goes.
fn by_manifest(scene: &Scene<'_>) -> Vec<Broken> {
    let paths = scene.view.paths;
    let mut found = Vec::new();
    for (spot, path, fact) in facts(scene) {
        let Fact::Node(manifest) = fact else { continue };
        let beside = paths.folder(path);
        let seen = |parts: &[&[u8]]| {
            let around = self::parts(scene, beside);
            paths.find(around.into_iter().chain(parts.iter().copied())).is_some_and(|path| scene.view.at(path).is_some())
        };
        if scene.is_published(path) || seen(&[b"node_modules", b".package-lock.json"]) {
            continue;
        }
        let is_there = |name: &&String| {
            let package: Vec<&[u8]> = name.split('/').map(str::as_bytes).collect();
            seen(&[&[&b"node_modules"[..]], &package[..], &[b"package.json"]].concat())
        };
        let only = manifest.dev_dependencies.keys().filter(|name| !manifest.dependencies.contains_key(*name));
        let there: BTreeSet<String> = only.filter(is_there).cloned().collect();
        found.extend(unneeded(scene, spot, &there));
    }
    found
}

fn unneeded(scene: &Scene<'_>, spot: Spot, packages: &BTreeSet<String>) -> Option<Broken> {
    let message = format!("{} that only development needs: {}", counted(packages.len(), "package"), some(packages));
    let fix = "install with `npm ci --omit=dev` in the stage that the image is made of";
    (!packages.is_empty()).then(|| scene.at("dev-dependency", Level::Error, spot, message, fix))
}

/// Debian packages that make programs and that the image it begins from does not have.
fn tools(scene: &Scene<'_>) -> Vec<Broken> {
    let listed = |fact: &Fact| -> BTreeSet<String> {
        let Fact::Installed(_, packages) = fact else { return BTreeSet::new() };
        packages.iter().map(|package| package.name.clone()).filter(|name| is_tool(name)).collect()
    };
    let mut found = Vec::new();
    for (spot, path, fact) in facts(scene).filter(|(spot, ..)| spot.layer as usize >= scene.history.base_layers) {
        let base = scene.view.layers[..scene.history.base_layers].iter().rev().find_map(|layer| layer.facts.get(&path));
        let base = base.map(listed).unwrap_or_default();
        let own: BTreeSet<String> = listed(fact).difference(&base).cloned().collect();
        if !own.is_empty() {
            let message = format!("{} for making programs: {}", counted(own.len(), "package"), some(&own));
            let fix = "install them in a stage of their own, and copy out of it what they make";
            found.push(scene.at("dev-dependency", Level::Warning, spot, message, fix));
        }
    }
    found
}

fn is_tool(name: &str) -> bool {
    name.ends_with("-dev") || TOOLS.contains(&name)
}

/// Sources in the image's own layers: one finding for each layer, at the folder around all of them.
fn sources(scene: &Scene<'_>) -> Vec<Broken> {
    let mut found = Vec::new();
    for (layer, index) in scene.view.layers.iter().zip(0_u32..).skip(scene.history.base_layers) {
        let items = layer.items.iter().zip(0_u32..).map(|(item, position)| (item, Spot { layer: index, item: position }));
        let is_source = |(item, spot): &(&crate::layer::Item, Spot)| {
            item.kind == Kind::File && is_source(scene.view.paths.name(item.path)) && scene.view.at(item.path) == Some(*spot)
        };
        let sources: Vec<Spot> = items.filter(is_source).map(|(_, spot)| spot).filter(|spot| is_own(scene, *spot)).collect();
        if let Some(first) = sources.first() {
            let example = scene.view.paths.shown(scene.view.item(*first).path);
            let message = match sources.len() {
                1 => "a source of something that is compiled".to_owned(),
                count => format!("{} of something that is compiled, such as `{example}`", counted(count, "source")),
            };
            let fix = "copy only what was compiled out of the stage that compiles it";
            found.push(scene.at("source", Level::Warning, *first, message, fix));
        }
    }
    found
}

/// Git repositories: everything that was ever committed.
fn repositories(scene: &Scene<'_>) -> Vec<Broken> {
    let paths = scene.view.paths;
    let head = |spot: &Spot| paths.ends_with(scene.view.item(*spot).path, &[b".git", b"HEAD"], false);
    let heads = scene.view.visible().filter(head).filter(|spot| is_own(scene, *spot));
    let broken = |spot| {
        scene.at(
            "source",
            Level::Error,
            spot,
            "a git repository: everything that was ever committed".to_owned(),
            "name `.git` in `.dockerignore`",
        )
    };
    heads.map(broken).collect()
}

fn is_source(name: &[u8]) -> bool {
    SOURCES.iter().any(|end| name.ends_with(end)) && !TYPES.iter().any(|end| name.ends_with(end))
}

/// Whether a file is not of a package.
fn is_own(scene: &Scene<'_>, spot: Spot) -> bool {
    let path = scene.view.item(spot).path;
    let parts = parts(scene, path);
    let system = match parts.as_slice() {
        [b"usr", b"local", folder, ..] | [b"usr", folder, ..] => SYSTEM.contains(folder),
        _ => false,
    };
    !system && !scene.is_published(path)
}

fn parts<'a>(scene: &'a Scene<'_>, path: PathId) -> Vec<&'a [u8]> {
    let paths = scene.view.paths;
    let mut parts: Vec<&[u8]> = paths.up(path).map(|id| paths.name(id)).filter(|name| !name.is_empty()).collect();
    parts.reverse();
    parts
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn some(names: &BTreeSet<String>) -> String {
    let more = if names.len() > NAMED { ", …" } else { "" };
    names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ") + more
}
