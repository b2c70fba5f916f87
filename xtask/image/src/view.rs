//! The file system that a container sees: the layers of an image on top of each other. Also what lies below it unseen, and which
//! layer hid it.

use std::collections::{HashMap, HashSet};

use super::archive::{Archive, Image};
use super::layer::{Item, Layer, Removal};
use super::packages::Fact;
use super::paths::{PathId, Paths, ROOT};
use super::tar::Kind;

/// An item of an image: the position of its layer in the image, and its own in the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// The layer, the lowest being 0.
    pub layer: u32,
    /// The item in it.
    pub item: u32,
}

/// Something that a layer has and a later one hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// What is hidden.
    pub spot: Spot,
    /// The path whose removal or replacement hid it: its own, or that of a folder around it.
    pub root: PathId,
    /// The layer that hides it.
    pub by: u32,
    /// Whether nothing stands in its place.
    pub deleted: bool,
}

/// The layers of an image on top of each other.
#[derive(Debug)]
pub struct View<'a> {
    /// The layers, the lowest first.
    pub layers: Vec<&'a Layer>,
    /// The paths they use.
    pub paths: &'a Paths,
    /// What is hidden, in the order in which it came to be.
    pub hidden: Vec<Hidden>,
    visible: Vec<Option<Spot>>,
    /// Contents whose own path is hidden and that further names keep in sight: by the first such name.
    kept: HashMap<Spot, Spot>,
    children: Children,
}

/// The paths inside each folder.
#[derive(Debug, Default)]
struct Children {
    first: Vec<Option<PathId>>,
    next: Vec<Option<PathId>>,
}

impl<'a> View<'a> {
    /// Lays the layers of an image on top of each other.
    pub fn new(archive: &'a Archive, image: &Image) -> Self {
        let layers = image.layers.iter().map(|at| &archive.layers[*at]).collect();
        let visible = vec![None; archive.paths.count()];
        let mut view = Self {
            layers,
            paths: &archive.paths,
            hidden: Vec::new(),
            visible,
            kept: HashMap::new(),
            children: Children::default(),
        };
        let children = Children::of(&archive.paths);
        for layer in 0..u32::try_from(view.layers.len()).unwrap_or(u32::MAX) {
            view.add(layer, &children);
        }
        view.keep();
        view.children = children;
        view
    }

    /// The item at a spot.
    pub fn item(&self, spot: Spot) -> &'a Item {
        &self.layers[spot.layer as usize].items[spot.item as usize]
    }

    /// What a container sees at a path.
    pub fn at(&self, path: PathId) -> Option<Spot> {
        self.visible.get(path.index()).copied().flatten()
    }

    /// Whether a container sees a file or a link at a path.
    pub fn is_file(&self, path: PathId) -> bool {
        self.at(path).is_some_and(|spot| self.item(spot).kind != Kind::Directory)
    }

    /// What the files that a container sees say of packages, by their path.
    pub fn facts(&self) -> Vec<(PathId, &'a Fact)> {
        let mut facts: Vec<(PathId, &'a Fact)> = Vec::new();
        for (layer, index) in self.layers.iter().copied().zip(0_u32..) {
            let seen = |(path, _): &(&PathId, &Fact)| self.at(**path).is_some_and(|spot| spot.layer == index);
            facts.extend(layer.facts.iter().filter(seen).map(|(path, fact)| (*path, fact)));
        }
        // A map has no order of its own.
        facts.sort_by_key(|(path, _)| *path);
        facts
    }

    /// Everything a container sees, folders too.
    pub fn visible(&self) -> impl Iterator<Item = Spot> + '_ {
        self.visible.iter().copied().flatten()
    }

    /// The paths inside a folder that any image of the archive has.
    pub fn children(&self, folder: PathId) -> impl Iterator<Item = PathId> + '_ {
        self.children.of_folder(folder)
    }

    /// Every file a container sees, with the bytes that are counted for it: those of its content, once for all its names.
    pub fn files(&self) -> impl Iterator<Item = (Spot, u64)> + '_ {
        let is_file = |spot: &Spot| self.item(*spot).kind != Kind::Directory;
        self.visible().filter(is_file).map(|spot| (spot, self.bytes(spot)))
    }

    /// What is hidden and costs bytes that nothing shows: contents that a further name keeps in sight are left out.
    pub fn wasted(&self) -> impl Iterator<Item = (Hidden, u64)> + '_ {
        let wasted = |hidden: &&Hidden| !self.kept.contains_key(&hidden.spot);
        let with_bytes = |hidden: &Hidden| (*hidden, self.item(hidden.spot).size);
        self.hidden.iter().filter(wasted).map(with_bytes).filter(|(_, bytes)| *bytes > 0)
    }

    fn bytes(&self, spot: Spot) -> u64 {
        match self.data(spot) {
            Some(data) if data == spot || self.kept.get(&data) == Some(&spot) => self.item(data).size,
            _ => 0,
        }
    }

    /// The spot of an item's content.
    pub fn data(&self, spot: Spot) -> Option<Spot> {
        self.item(spot).data.map(|item| Spot { item, ..spot })
    }

    fn add(&mut self, layer: u32, children: &Children) {
        let content = self.layers[layer as usize];
        for removal in &content.removals {
            match *removal {
                Removal::Path(path) => {
                    self.open_folders(self.paths.folder(path), layer);
                    self.hide_tree(path, layer, true, children);
                }
                Removal::Content(folder) => {
                    self.open_folders(folder, layer);
                    children.of_folder(folder).for_each(|path| self.hide_tree(path, layer, true, children));
                }
            }
        }
        for (item, index) in content.items.iter().zip(0..) {
            self.open_folders(self.paths.folder(item.path), layer);
            let stays = |spot: Spot| item.kind == Kind::Directory && self.item(spot).kind == Kind::Directory;
            if item.kind != Kind::Directory {
                self.hide_tree(item.path, layer, false, children);
            } else if let Some(old) = self.at(item.path).filter(|old| !stays(*old)) {
                self.hide(old, item.path, layer, false);
            }
            self.visible[item.path.index()] = Some(Spot { layer, item: index });
        }
    }

    /// Whatever stands where a folder and those around it must be is replaced by one.
    fn open_folders(&mut self, folder: PathId, layer: u32) {
        let paths = self.paths;
        for folder in paths.up(folder).filter(|folder| *folder != ROOT) {
            if let Some(old) = self.at(folder).filter(|old| self.item(*old).kind != Kind::Directory) {
                self.hide(old, folder, layer, false);
                self.visible[folder.index()] = None;
            }
        }
    }

    /// Hides a path and everything below it.
    fn hide_tree(&mut self, root: PathId, by: u32, deleted: bool, children: &Children) {
        let mut open = vec![root];
        while let Some(path) = open.pop() {
            if let Some(spot) = self.visible[path.index()].take() {
                self.hide(spot, root, by, deleted);
            }
            open.extend(children.of_folder(path));
        }
    }

    fn hide(&mut self, spot: Spot, root: PathId, by: u32, deleted: bool) {
        if matches!(self.item(spot).kind, Kind::File | Kind::Link) {
            self.hidden.push(Hidden { spot, root, by, deleted });
        }
    }

    /// Finds the contents that only further names keep in sight.
    fn keep(&mut self) {
        let hidden: HashSet<Spot> = self.hidden.iter().map(|hidden| hidden.spot).collect();
        let links = self.visible().filter(|spot| self.item(*spot).kind == Kind::Link);
        let mut kept = HashMap::new();
        for (link, data) in links.filter_map(|link| Some((link, self.data(link)?))) {
            if hidden.contains(&data) {
                kept.entry(data).or_insert(link);
            }
        }
        self.kept = kept;
    }
}

impl Children {
    fn of(paths: &Paths) -> Self {
        let mut children = Self { first: vec![None; paths.count()], next: vec![None; paths.count()] };
        for path in paths.all().filter(|path| *path != ROOT) {
            let first = &mut children.first[paths.folder(path).index()];
            children.next[path.index()] = first.replace(path);
        }
        children
    }

    fn of_folder(&self, folder: PathId) -> impl Iterator<Item = PathId> + '_ {
        std::iter::successors(self.first[folder.index()], |path| self.next[path.index()])
    }
}

#[cfg(test)]
mod tests;
