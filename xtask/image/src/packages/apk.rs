//! Alpine's list of what is installed: a paragraph for each package, which names its folders and the files in them.

use super::Listed;
use crate::paths::{PathId, Paths, parts};

/// The packages of `installed`.
pub fn installed(text: &str, paths: &mut Paths) -> Vec<Listed> {
    text.split("\n\n").filter_map(|text| paragraph(text, paths)).collect()
}

fn paragraph(text: &str, paths: &mut Paths) -> Option<Listed> {
    let mut package = Listed::default();
    let mut folder: Option<PathId> = None;
    for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
        match key {
            "P" => package.name = value.to_owned(),
            "V" => package.version = value.to_owned(),
            "A" => package.architecture = value.to_owned(),
            "L" => package.license = value.to_owned(),
            "F" => folder = paths.number(parts(value.as_bytes()).0),
            "R" => package.files.extend(folder.and_then(|folder| paths.child(folder, value.as_bytes()))),
            _ => {}
        }
    }
    (!package.name.is_empty()).then_some(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_their_files_are_read() {
        let mut paths = Paths::default();
        let text = "C:Q1\nP:musl\nV:1.2-r0\nA:x86_64\nL:MIT\nF:lib\nR:ld.so\na:0:0:755\nR:libc.so\nF:\nR:x\n\nP:empty\nV:1\n\n\n";
        let read = installed(text, &mut paths);
        let files: Vec<_> = read[0].files.iter().map(|id| paths.shown(*id)).collect();
        assert_eq!((read[0].name.as_str(), read[0].version.as_str()), ("musl", "1.2-r0"));
        assert_eq!((read[0].architecture.as_str(), read[0].license.as_str()), ("x86_64", "MIT"));
        assert_eq!(
            (files, read[1].name.as_str(), read.len()),
            (vec!["/lib/ld.so".into(), "/lib/libc.so".into(), "/x".into()], "empty", 2)
        );
    }
}
