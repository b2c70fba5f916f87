//! Two measurements of an image compared: what grew and what shrank. Works on reports, so that an earlier run's document is as good
//! as the image itself.

use std::collections::{BTreeMap, BTreeSet};

use super::packages::Manager;
use super::report::{Growth, InstructionGrowth, Measured, Node, PackageGrowth, PathGrowth};
use super::tree::least;

/// How many differences of each kind are told.
const TOLD: usize = 200;

/// What became of an image since a baseline of this name.
pub fn growth(baseline: &str, before: &Measured, after: &Measured) -> Growth {
    let bytes = signed(after.content_bytes) - signed(before.content_bytes);
    let percent = match before.content_bytes {
        0 if bytes > 0 => 100.0,
        0 => 0.0,
        before => bytes as f64 / before as f64 * 100.0,
    };
    Growth {
        baseline: baseline.to_owned(),
        bytes,
        percent: (percent * 100.0).round() / 100.0,
        paths: paths(&before.directories, &after.directories),
        packages: packages(before, after),
        instructions: instructions(before, after),
    }
}

/// Files whose bytes differ. What one side only tells as part of a folder's rest is compared as part of it on both.
fn paths(before: &Node, after: &Node) -> Vec<PathGrowth> {
    let mut walk = Walk { least: (least(before.bytes), least(after.bytes)), found: Vec::new() };
    walk.folder("", before, after);
    walk.found
        .sort_by(|a, b| difference(b.before, b.after).cmp(&difference(a.before, a.after)).then_with(|| a.path.cmp(&b.path)));
    walk.found.truncate(TOLD);
    walk.found
}

struct Walk {
    /// The least bytes that are told by themselves, before and after.
    least: (u64, u64),
    found: Vec<PathGrowth>,
}

impl Walk {
    fn folder(&mut self, path: &str, before: &Node, after: &Node) {
        let (old, new) = (by_name(before), by_name(after));
        let (mut rest_before, mut rest_after) = (rest(before), rest(after));
        for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let path = format!("{path}/{name}");
            match (old.get(name), new.get(name)) {
                (Some(before), Some(after)) if is_folder(before) && is_folder(after) => self.folder(&path, before, after),
                (Some(before), Some(after)) => self.add(path, before.bytes, after.bytes),
                (Some(before), None) if before.bytes < self.least.1 && rest_after.is_some() => {
                    add(&mut rest_before, before.bytes)
                }
                (None, Some(after)) if after.bytes < self.least.0 && rest_before.is_some() => add(&mut rest_after, after.bytes),
                (Some(before), None) => self.whole(&path, before, |path, bytes| PathGrowth { path, before: bytes, after: 0 }),
                (None, Some(after)) => self.whole(&path, after, |path, bytes| PathGrowth { path, before: 0, after: bytes }),
                (None, None) => {}
            }
        }
        self.add(format!("{path}/…"), rest_before.unwrap_or_default(), rest_after.unwrap_or_default());
    }

    /// Everything in a folder that one side alone has.
    fn whole(&mut self, path: &str, node: &Node, growth: fn(String, u64) -> PathGrowth) {
        if !is_folder(node) {
            self.found.push(growth(path.to_owned(), node.bytes));
        }
        for child in &node.children {
            self.whole(&format!("{path}/{}", child.name), child, growth);
        }
    }

    fn add(&mut self, path: String, before: u64, after: u64) {
        if before != after {
            self.found.push(PathGrowth { path, before, after });
        }
    }
}

fn by_name(node: &Node) -> BTreeMap<&str, &Node> {
    node.children.iter().filter(|child| !child.rest).map(|child| (child.name.as_str(), child)).collect()
}

/// The bytes of what is not told of a folder; none where everything is.
fn rest(node: &Node) -> Option<u64> {
    node.children.iter().find(|child| child.rest).map(|child| child.bytes)
}

fn add(rest: &mut Option<u64>, bytes: u64) {
    *rest = Some(rest.unwrap_or_default() + bytes);
}

fn is_folder(node: &Node) -> bool {
    !node.children.is_empty()
}

/// Versions and bytes of a package, which may be there several times.
#[derive(Default)]
struct Sum {
    versions: BTreeSet<String>,
    bytes: u64,
}

fn packages(before: &Measured, after: &Measured) -> Vec<PackageGrowth> {
    let (old, new) = (sums(before), sums(after));
    let version = |sum: Option<&Sum>| sum.map(|sum| sum.versions.iter().cloned().collect::<Vec<_>>().join(", "));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let one = |(kind, name): &(Manager, String)| {
        let key = (*kind, name.clone());
        let (old, new) = (old.get(&key), new.get(&key));
        let bytes = |sum: Option<&Sum>| sum.map_or(0, |sum| sum.bytes);
        PackageGrowth {
            kind: *kind,
            name: name.clone(),
            before: bytes(old),
            after: bytes(new),
            before_version: version(old),
            after_version: version(new),
        }
    };
    let differs = |one: &PackageGrowth| one.before != one.after || one.before_version != one.after_version;
    let mut found: Vec<_> = names.into_iter().map(one).filter(differs).collect();
    found.sort_by_key(|one| std::cmp::Reverse(difference(one.before, one.after)));
    found.truncate(TOLD);
    found
}

fn sums(image: &Measured) -> BTreeMap<(Manager, String), Sum> {
    let mut sums = BTreeMap::<_, Sum>::new();
    for package in &image.packages {
        let sum = sums.entry((package.kind, package.name.clone())).or_default();
        sum.versions.insert(package.version.clone());
        sum.bytes += package.bytes;
    }
    sums
}

fn instructions(before: &Measured, after: &Measured) -> Vec<InstructionGrowth> {
    let sums = |image: &Measured| {
        image.instructions.iter().fold(BTreeMap::<String, u64>::new(), |mut sums, step| {
            *sums.entry(step.instruction.clone()).or_default() += step.bytes;
            sums
        })
    };
    let (old, new) = (sums(before), sums(after));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let bytes = |sums: &BTreeMap<String, u64>, name: &String| sums.get(name).copied().unwrap_or_default();
    let one =
        |name: &String| InstructionGrowth { instruction: name.clone(), before: bytes(&old, name), after: bytes(&new, name) };
    let mut found: Vec<_> = names.into_iter().map(one).filter(|one| one.before != one.after).collect();
    found.sort_by_key(|one| std::cmp::Reverse(difference(one.before, one.after)));
    found.truncate(TOLD);
    found
}

/// How far two numbers are apart; growth before what shrank as much.
fn difference(before: u64, after: u64) -> (u64, bool) {
    (before.abs_diff(after), after > before)
}

/// No image has more bytes than that.
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::read;
    use crate::measure::{Subject, measure};
    use crate::report::PackageFigures;
    use crate::testing::{Archive, Image};

    fn measured(image: &Image) -> Measured {
        let archive = read(&image.saved("a:1")[..], "`x`", false).expect("right");
        measure(&archive, &archive.images[0], &Subject::default())
    }

    fn told(growth: &Growth) -> Vec<String> {
        growth.paths.iter().map(|one| format!("{} {}→{}", one.path, one.before, one.after)).collect()
    }

    fn base() -> Image {
        Image::default().layer("COPY a /", Archive::new().file("bin/a", &[1; 1_000_000]).file("bin/b", &[2; 2000]))
    }

    #[test]
    fn a_new_file_is_growth_to_the_byte() {
        let big = Archive::new().file("srv/data/big", &vec![7; 10_000_000]);
        let growth = growth("old", &measured(&base()), &measured(&base().layer("COPY big /srv/", big)));
        assert_eq!((growth.bytes, growth.percent, growth.baseline.as_str()), (10_000_000, 998.0, "old"));
        assert_eq!(told(&growth), ["/srv/data/big 0→10000000"]);
        let step = &growth.instructions[0];
        assert_eq!(
            (step.instruction.as_str(), step.before, step.after, growth.instructions.len()),
            ("COPY big /srv/", 0, 10_000_000, 1)
        );
    }

    #[test]
    fn what_shrinks_and_goes_is_told_too() {
        let smaller = Image::default().layer("COPY a /", Archive::new().file("bin/a", &[1; 400_000]).file("new", &[3; 5000]));
        let growth = growth("old", &measured(&base()), &measured(&smaller));
        assert_eq!(told(&growth), ["/bin/a 1000000→400000", "/new 0→5000", "/bin/b 2000→0"]);
        assert!(growth.bytes < 0 && growth.percent < 0.0);
    }

    #[test]
    fn what_only_the_smaller_image_tells_is_no_growth() {
        // Beside a file of ten megabytes the small ones are added up; before they were not.
        let files = |layer: Archive| (0..5).fold(layer, |layer, at| layer.file(&format!("d/f{at}"), &[1; 2000]));
        let before = Image::default().layer("COPY", files(Archive::new()));
        let after = Image::default().layer("COPY", files(Archive::new()).file("d/big", &vec![7; 10_000_000]));
        assert_eq!(told(&growth("old", &measured(&before), &measured(&after))), ["/d/big 0→10000000"]);
        assert_eq!(told(&growth("old", &measured(&after), &measured(&before))), ["/d/big 10000000→0"]);
    }

    #[test]
    fn packages_are_compared_by_name() {
        let package = |name: &str, version: &str, bytes| PackageFigures {
            kind: Manager::Npm,
            name: name.to_owned(),
            version: version.to_owned(),
            bytes,
        };
        let image = |packages| Measured { packages, ..Measured::default() };
        let before = image(vec![package("a", "1", 10), package("b", "1", 10), package("c", "1", 5)]);
        let after = image(vec![package("a", "2", 10), package("b", "1", 10), package("d", "1", 7), package("d", "2", 1)]);
        let growth = growth("old", &before, &after);
        let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".to_owned());
        let told = |one: &PackageGrowth| format!("{} {}→{}", one.name, version(&one.before_version), version(&one.after_version));
        assert_eq!(growth.packages.iter().map(told).collect::<Vec<_>>(), ["d -→1, 2", "c 1→-", "a 1→2"]);
    }
}
