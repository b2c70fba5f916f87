//! Bytes that serve nothing: hidden by a later layer, the same content twice, what package managers keep for later.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::paths::PathId;
use super::report::{Waste, WasteKind};
use super::view::{Spot, View};

/// Files below this size are not compared with each other: a block of most file systems.
const COMPARED: u64 = 4096;

/// How much is told one by one; all of it is counted.
const TOLD: usize = 500;

/// Folders of the file system in which package managers keep what they have downloaded.
const FIXED: &[&[&[u8]]] = &[
    &[b"var", b"cache", b"apt"],
    &[b"var", b"lib", b"apt", b"lists"],
    &[b"var", b"cache", b"apk"],
    &[b"var", b"cache", b"dnf"],
    &[b"var", b"cache", b"yum"],
];

/// The same below whatever folder somebody's home is.
const ANYWHERE: &[&[&[u8]]] = &[
    &[b".npm", b"_cacache"],
    &[b".cache", b"pip"],
    &[b".cache", b"uv"],
    &[b".cache", b"pypoetry"],
    &[b".cache", b"yarn"],
    &[b".cache", b"pnpm"],
    &[b".cache", b"go-build"],
    &[b".cargo", b"registry"],
    &[b".cargo", b"git"],
    &[b"cargo", b"registry"],
    &[b"pkg", b"mod", b"cache"],
    &[b"pnpm", b"store"],
    &[b".gradle", b"caches"],
    &[b".composer", b"cache"],
    &[b"node_modules", b".cache"],
];

/// Waste before it has words.
struct Found {
    kind: WasteKind,
    path: PathId,
    bytes: u64,
    layer: u32,
    by: Option<u32>,
    of: Option<PathId>,
}

/// Where waste stands among other waste: its bytes, its path, the layer that has it and the one that hides it.
type Rank = (Reverse<u64>, String, u32, Option<u32>);

/// What is wasted in an image, the largest first, and how many bytes all of it has. No byte counts twice: what is hidden is not
/// seen, and what is in a cache is not compared.
pub fn waste(view: &View<'_>) -> (Vec<Waste>, u64) {
    let caches = Caches::of(view);
    let mut found = hidden(view);
    found.extend(caches.waste(view));
    found.extend(duplicates(view, &caches));
    let total = found.iter().map(|one| one.bytes).sum();
    let mut told: BTreeMap<Rank, &Found> = BTreeMap::new();
    for one in &found {
        // What has less than the last of many is not worth a name.
        if told.len() == TOLD && told.last_key_value().is_some_and(|((Reverse(last), ..), _)| *last > one.bytes) {
            continue;
        }
        // By name: the paths' numbers are those of one archive, and the order must be that of any archive of the image.
        told.insert((Reverse(one.bytes), view.paths.shown(one.path), one.layer, one.by), one);
        if told.len() > TOLD {
            told.pop_last();
        }
    }
    let told = told.into_values().map(|one| one.told(view)).collect();
    (told, total)
}

impl Found {
    fn told(&self, view: &View<'_>) -> Waste {
        Waste {
            kind: self.kind,
            path: view.paths.shown(self.path),
            bytes: self.bytes,
            layer: self.layer as usize,
            by_layer: self.by.map(|by| by as usize),
            of: self.of.map(|of| view.paths.shown(of)),
        }
    }
}

fn hidden(view: &View<'_>) -> Vec<Found> {
    let mut sums: HashMap<(PathId, u32, u32, bool), u64> = HashMap::new();
    for (hidden, bytes) in view.wasted() {
        *sums.entry((hidden.root, hidden.spot.layer, hidden.by, hidden.deleted)).or_default() += bytes;
    }
    let found = |((path, layer, by, deleted), bytes)| {
        let kind = if deleted { WasteKind::Deleted } else { WasteKind::Overwritten };
        Found { kind, path, bytes, layer, by: Some(by), of: None }
    };
    sums.into_iter().map(found).collect()
}

/// Every file but the first of each content: the one that the lowest layer has.
fn duplicates(view: &View<'_>, caches: &Caches) -> Vec<Found> {
    let compared = |(spot, bytes): &(Spot, u64)| *bytes >= COMPARED && caches.around(view.item(*spot).path).is_none();
    let content = |spot: Spot, bytes: u64| (bytes, view.item(view.data(spot).unwrap_or(spot)).identity);
    let mut first: HashMap<(u64, u64), Spot> = HashMap::new();
    let mut further = Vec::new();
    for (spot, bytes) in view.files().filter(compared) {
        let kept = first.entry(content(spot, bytes)).or_insert(spot);
        if *kept != spot {
            further.push(((*kept).max(spot), content(spot, bytes)));
            *kept = (*kept).min(spot);
        }
    }
    let path = |spot: Spot| view.item(spot).path;
    let found = |(copy, content): (Spot, (u64, u64))| Found {
        kind: WasteKind::Duplicate,
        path: path(copy),
        bytes: content.0,
        layer: copy.layer,
        by: None,
        of: Some(path(first[&content])),
    };
    further.into_iter().map(found).collect()
}

/// The cache that each path lies in, by the path's number.
struct Caches(Vec<Option<PathId>>);

impl Caches {
    fn of(view: &View<'_>) -> Self {
        let mut caches: Vec<Option<PathId>> = Vec::with_capacity(view.paths.count());
        // A folder has its number before what is in it.
        for path in view.paths.all() {
            let around = caches.get(view.paths.folder(path).index()).copied().flatten();
            caches.push(around.or_else(|| is_cache(view, path).then_some(path)));
        }
        Self(caches)
    }

    fn around(&self, path: PathId) -> Option<PathId> {
        self.0[path.index()]
    }

    fn waste(&self, view: &View<'_>) -> Vec<Found> {
        let mut sums: HashMap<(PathId, u32), u64> = HashMap::new();
        for (spot, bytes) in view.files().filter(|(_, bytes)| *bytes > 0) {
            if let Some(cache) = self.around(view.item(spot).path) {
                *sums.entry((cache, spot.layer)).or_default() += bytes;
            }
        }
        let found = |((path, layer), bytes)| Found { kind: WasteKind::Cache, path, bytes, layer, by: None, of: None };
        sums.into_iter().map(found).collect()
    }
}

fn is_cache(view: &View<'_>, path: PathId) -> bool {
    FIXED.iter().any(|parts| view.paths.ends_with(path, parts, true))
        || ANYWHERE.iter().any(|parts| view.paths.ends_with(path, parts, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::read;
    use crate::testing::{Archive, Image};

    fn told(layers: impl IntoIterator<Item = Archive>) -> (Vec<String>, u64) {
        let image = layers.into_iter().fold(Image::default(), |image, layer| image.layer("COPY", layer));
        let archive = read(&image.saved("a:1")[..], "`x`", false).expect("right");
        let (waste, total) = waste(&View::new(&archive, &archive.images[0]));
        let one = |one: Waste| {
            let by = one.by_layer.map(|by| format!(" by {by}")).unwrap_or_default();
            let of = one.of.map(|of| format!(" of {of}")).unwrap_or_default();
            format!("{:?} {} {} in {}{by}{of}", one.kind, one.path, one.bytes, one.layer)
        };
        (waste.into_iter().map(one).collect(), total)
    }

    #[test]
    fn what_is_hidden_is_told_with_both_layers() {
        let first = Archive::new().file("d/a", &[1; 50]).file("d/b", &[2; 40]).file("x", &[3; 9]);
        let (told, total) = told([first, Archive::new().file(".wh.d", b"").file("x", b"")]);
        assert_eq!(told, ["Deleted /d 90 in 0 by 1", "Overwritten /x 9 in 0 by 1"]);
        assert_eq!(total, 99);
    }

    #[test]
    fn the_same_content_is_kept_once() {
        let second = Archive::new().file("b/copy", &[7; 5000]).file("small", &[8; 9]).file("also-small", &[8; 9]);
        let (told, total) =
            told([Archive::new().file("z/first", &[7; 5000]).link("link", "z/first"), second.file("a", &[7; 5000])]);
        assert_eq!(told, ["Duplicate /a 5000 in 1 of /z/first", "Duplicate /b/copy 5000 in 1 of /z/first"]);
        assert_eq!(total, 10_000);
    }

    #[test]
    fn what_package_managers_keep_is_told_by_its_folder() {
        let first = Archive::new().file("var/lib/apt/lists/a", &[1; 5000]).file("var/lib/apt/lists/b/c", &[1; 5000]);
        let second = Archive::new().file("srv/x/.npm/_cacache/y", &[2; 30]).file("srv/var/cache/apt/no", &[3; 20]);
        let (told, total) = told([first, second]);
        assert_eq!(told, ["Cache /var/lib/apt/lists 10000 in 0", "Cache /srv/x/.npm/_cacache 30 in 1"]);
        assert_eq!(total, 10_030);
    }
}
