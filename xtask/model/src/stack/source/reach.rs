//! Files that compose files lead to: those that they `include`, and those whose services theirs `extends`. They are read for places
//! only; what they mean is compose's to say, which also tells of those that cannot be read.

use std::borrow::Cow;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::{Node, Role, Source, Sources, Value, steps};

/// How many services may extend one another in a row; compose refuses rings.
const DEEPEST: usize = 16;

/// The text of a file, if it can be had.
type Read<'a> = &'a dyn Fn(&Utf8Path) -> Option<String>;

impl Sources {
    /// A project's own files, and those that they lead to as far as `read` gives their text.
    pub fn reaching(own: Vec<Source>, read: Read<'_>) -> Self {
        // Compose takes paths in all of a project's own files from the folder of the first.
        let folder = own.first().map(|first| folder_of(&first.path)).unwrap_or_default();
        let mut files: Vec<(Source, Utf8PathBuf)> = own.into_iter().map(|source| (source, folder.clone())).collect();
        let mut next = 0;
        while let Some((source, folder)) = files.get(next) {
            for (path, folder) in included(source, folder) {
                if files.iter().all(|(known, _)| known.path != path) {
                    let role = Role::Included;
                    files.extend(read(&path).map(|text| (Source { role, ..Source::parse(&path, &text) }, folder)));
                }
            }
            next += 1;
        }
        let extended: Vec<Source> = files.iter().flat_map(|(source, folder)| extended(source, folder, read)).collect();
        Self(files.into_iter().map(|(source, _)| source).chain(extended).collect())
    }
}

/// The files that a file includes, each with the folder that its own paths are taken from.
fn included(source: &Source, folder: &Utf8Path) -> Vec<(Utf8PathBuf, Utf8PathBuf)> {
    let Some((_, Node { value: Value::Sequence(items), .. })) = source.node(&steps(["include"])) else { return Vec::new() };
    let of = |item: &Node| {
        let paths = item.get("path").unwrap_or(item).texts().into_iter().map(|path| resolved(folder, path));
        let paths: Vec<Utf8PathBuf> = paths.collect();
        let own = item.get("project_directory").and_then(Node::text).map(|own| resolved(folder, own));
        let folder = own.or_else(|| paths.first().map(|path| folder_of(path))).unwrap_or_default();
        paths.into_iter().map(move |path| (path, folder.clone()))
    };
    items.iter().flat_map(of).collect()
}

/// What the services of a file get by `extends`: each service that is extended, as if it stood under the name of the one that does.
fn extended(source: &Source, folder: &Utf8Path, read: Read<'_>) -> Vec<Source> {
    source.keys(&steps(["services"])).into_iter().flat_map(|user| bases(source, folder, user, read)).collect()
}

/// The services that one extends, one after the other, the furthest first.
fn bases(source: &Source, folder: &Utf8Path, user: &str, read: Read<'_>) -> Vec<Source> {
    let (mut source, mut folder, mut service) = (Cow::Borrowed(source), folder.to_owned(), user.to_owned());
    let mut found = Vec::new();
    while found.len() < DEEPEST {
        let Some((file, base)) = extends(&source, &service) else { break };
        if let Some(path) = file.map(|file| resolved(&folder, &file)) {
            let Some(text) = read(&path) else { break };
            folder = folder_of(&path);
            source = Cow::Owned(Source::parse(&path, &text));
        }
        let Some((line, node)) = source.node(&steps(["services", &base])) else { break };
        found.push(Source::of_service(&source.path, user, line, node));
        service = base;
    }
    found.reverse();
    found
}

/// The file, where it is another, and the name of the service that one extends.
fn extends(source: &Source, service: &str) -> Option<(Option<String>, String)> {
    let (_, node) = source.node(&steps(["services", service, "extends"]))?;
    let word = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    match node.text() {
        Some(base) => Some((None, base.to_owned())),
        None => Some((word("file"), word("service")?)),
    }
}

impl Source {
    /// One service of a file, under another name.
    fn of_service(path: &Utf8Path, name: &str, line: usize, service: &Node) -> Self {
        let mapping = |key: &str, value: Node| Node { line, value: Value::Mapping(vec![(key.to_owned(), line, value)]) };
        let root = Some(mapping("services", mapping(name, service.clone())));
        Self { path: path.to_owned(), broken: None, role: Role::Extended, root }
    }
}

impl Node {
    fn get(&self, key: &str) -> Option<&Self> {
        let Value::Mapping(pairs) = &self.value else { return None };
        pairs.iter().find(|(name, ..)| name == key).map(|(_, _, node)| node)
    }

    fn text(&self) -> Option<&str> {
        if let Value::Scalar { text, .. } = &self.value { Some(text) } else { None }
    }

    fn texts(&self) -> Vec<&str> {
        match &self.value {
            Value::Sequence(items) => items.iter().filter_map(Self::text).collect(),
            _ => self.text().into_iter().collect(),
        }
    }
}

fn folder_of(path: &Utf8Path) -> Utf8PathBuf {
    path.parent().map(Utf8Path::to_owned).unwrap_or_default()
}

/// A path seen from a folder, without detours, as places are shown.
fn resolved(folder: &Utf8Path, path: &str) -> Utf8PathBuf {
    let mut clean = Utf8PathBuf::new();
    for part in folder.join(path).components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir if clean.file_name().is_some() => drop(clean.pop()),
            part => clean.push(part),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sources of `/p/compose/base.yaml`, the first of these files.
    fn sources(files: &[(&str, &str)]) -> Sources {
        let read = |path: &Utf8Path| files.iter().find(|(name, _)| path == *name).map(|(_, text)| (*text).to_owned());
        let (path, text) = files[0];
        Sources::reaching(vec![Source::parse(Utf8Path::new(path), text)], &read)
    }

    fn place(sources: &Sources, keys: &[&str]) -> String {
        sources.find(&steps(keys.iter().copied())).map(|place| place.to_string()).unwrap_or_default()
    }

    #[test]
    fn included_files_have_places_however_they_are_written() {
        let found = sources(&[
            (
                "/p/compose/base.yaml",
                "include:\n- ../a/a.yaml\n- {path: [b.yaml, gone.yaml], project_directory: ../a}\nservices: {own: {image: x}}",
            ),
            ("/p/a/a.yaml", "include: [deep/d.yaml]\nservices:\n  a: {image: x}"),
            ("/p/a/deep/d.yaml", "include: [../a.yaml]\nservices:\n  d: {image: x}"),
            ("/p/compose/b.yaml", "include: [c.yaml]\nservices:\n  b: {image: x}\nx-xtask: {}"),
            ("/p/a/c.yaml", "services:\n  c: {image: x}"),
        ]);
        for (service, at) in
            [("a", "/p/a/a.yaml:3"), ("b", "/p/compose/b.yaml:3"), ("c", "/p/a/c.yaml:2"), ("d", "/p/a/deep/d.yaml:3")]
        {
            assert_eq!(found.service(service).expect(service).to_string(), at);
        }
        assert_eq!(found.service("own").expect("its own").to_string(), "/p/compose/base.yaml:4");
    }

    #[test]
    fn what_a_service_extends_is_its_place_where_it_says_nothing_itself() {
        let found = sources(&[
            (
                "/p/base.yaml",
                "services:\n  web:\n    extends: {file: lib/x.yaml, service: common}\n    init: true\n  two:\n    extends: web",
            ),
            ("/p/lib/x.yaml", "services:\n  common:\n    extends: {file: y.yaml, service: web}\n    init: false\n    cpus: 1"),
            ("/p/lib/y.yaml", "services:\n  web:\n    cpus: 2\n    user: a\n    extends: web"),
        ]);
        assert_eq!(place(&found, &["services", "web", "init"]), "/p/base.yaml:4");
        assert_eq!(place(&found, &["services", "web", "cpus"]), "/p/lib/x.yaml:5");
        assert_eq!(place(&found, &["services", "two", "user"]), "/p/lib/y.yaml:4");
        assert_eq!(place(&found, &["services", "web"]), "/p/base.yaml:2");
        assert!(found.keys(&steps(["services", "web"])).iter().all(|key| ["extends", "init"].contains(key)), "its own keys only");
    }
}
