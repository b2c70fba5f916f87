//! Debian's lists: `status`, with a paragraph for each package, and a list of files for each.

use super::Listed;
use crate::paths::{PathId, Paths, parts};

/// The packages of `status` that are installed.
pub fn status(text: &str) -> Vec<Listed> {
    text.split("\n\n").filter_map(paragraph).collect()
}

fn paragraph(text: &str) -> Option<Listed> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim);
    // Where each package has a file of its own there is no such field.
    let installed = field("Status").is_none_or(|status| status.ends_with(" installed"));
    let (name, version) = (field("Package")?.to_owned(), field("Version").unwrap_or_default().to_owned());
    let architecture = field("Architecture").unwrap_or_default().to_owned();
    installed.then(|| Listed { name, version, architecture, ..Listed::default() })
}

/// The package that a file named after it is about: `libc6` of `libc6:amd64.list`.
pub fn package(file: &[u8], suffix: &str) -> Option<String> {
    let name = std::str::from_utf8(file).ok()?.strip_suffix(suffix)?;
    Some(name.split(':').next().unwrap_or(name).to_owned())
}

/// The paths of a list: one a line, folders too.
pub fn list(text: &str, paths: &mut Paths) -> Vec<PathId> {
    text.lines().filter_map(|line| paths.number(parts(line.as_bytes()).0)).collect()
}

/// The paths of a list of digests: `DIGEST  PATH`.
pub fn sums(text: &str, paths: &mut Paths) -> Vec<PathId> {
    let named = text.lines().filter_map(|line| line.split_once("  "));
    named.filter_map(|(_, path)| paths.number(parts(path.as_bytes()).0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_of_installed_packages_are_read() {
        let text = "Package: a\nStatus: install ok installed\nDescription: x\n Package: no\nVersion: 1:2-3\n\n\
                    Package: b\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: c\nVersion: 4\n\n";
        let read: Vec<_> = status(text).into_iter().map(|one| (one.name, one.version)).collect();
        assert_eq!(read, [("a".into(), "1:2-3".into()), ("c".into(), "4".into())]);
    }

    #[test]
    fn lists_name_paths() {
        let mut paths = Paths::default();
        let read = list("/.\n/usr\n/usr/bin/a\n", &mut paths);
        assert_eq!(read.iter().map(|id| paths.shown(*id)).collect::<Vec<_>>(), ["/", "/usr", "/usr/bin/a"]);
        assert_eq!(sums("0123  usr/bin/a\n", &mut paths), read[2..]);
        assert_eq!(package(b"libc6:amd64.list", ".list").as_deref(), Some("libc6"));
    }
}
