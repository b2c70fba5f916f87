//! Which compose files make up a project, by the names teams use. Pure over a listing of the folders.

use camino::{Utf8Path, Utf8PathBuf};

use super::environment::Environment;
use crate::error::{Error, Result};

/// Folders that are looked into, relative to the project root, and the base names known in each.
const PLACES: &[(&str, &[&str])] = &[
    ("", &["compose", "docker-compose"]),
    ("compose", &["base", "compose", "docker-compose"]),
    ("docker", &["compose", "docker-compose"]),
    ("deploy", &["compose", "docker-compose"]),
    (".docker", &["compose", "docker-compose"]),
];

/// What is asked about the file system.
pub trait Listing {
    /// Whether there is a file (or a link to one) at this path.
    fn is_file(&self, path: &Utf8Path) -> bool;
}

/// The real file system.
#[derive(Debug)]
pub struct Disk;

impl Listing for Disk {
    fn is_file(&self, path: &Utf8Path) -> bool {
        path.is_file()
    }
}

/// The compose files of the project at `root` in an environment, in the order in which they layer; none if there are none.
///
/// # Errors
/// Two files that could each be the base.
pub fn discover(root: &Utf8Path, environment: Environment, disk: &dyn Listing) -> Result<Option<Vec<Utf8PathBuf>>> {
    for (folder, stems) in PLACES {
        let folder = if folder.is_empty() { root.to_owned() } else { root.join(folder) };
        let files = in_folder(&folder, stems, environment, disk)?;
        if !files.is_empty() {
            return Ok(Some(files));
        }
    }
    Ok(None)
}

fn in_folder(folder: &Utf8Path, stems: &[&str], environment: Environment, disk: &dyn Listing) -> Result<Vec<Utf8PathBuf>> {
    let bases = existing(folder, stems.iter().map(|stem| (*stem).to_owned()), disk);
    if let [first, second, ..] = &bases[..] {
        return Err(Error::cannot(format!(
            "two compose files could be the base: `{}` and `{}`",
            first.file_name().unwrap_or_default(),
            second.file_name().unwrap_or_default()
        ))
        .help(format!("name the one to use: `-f {first}`")));
    }
    let words: &[&str] = match environment {
        Environment::Production => &["production", "prod"],
        Environment::Development => &["development", "dev", "override"],
    };
    // Beside `base.yaml` an overlay is called `production.yaml`; beside `compose.yaml`, `compose.production.yaml`.
    let plain = stems.contains(&"base");
    let names = words.iter().flat_map(|word| {
        let with_stem = stems.iter().flat_map(move |stem| [format!("{stem}.{word}"), format!("{stem}-{word}")]);
        with_stem.chain(plain.then(|| (*word).to_owned()))
    });
    let overlays = existing(folder, names, disk);
    let (overrides, named): (Vec<_>, Vec<_>) = overlays.into_iter().partition(|path| path.as_str().contains("override."));
    if let [first, second, ..] = &named[..] {
        return Err(Error::cannot(format!(
            "two compose files could be the {} overlay: `{}` and `{}`",
            environment.name(),
            first.file_name().unwrap_or_default(),
            second.file_name().unwrap_or_default()
        ))
        .help("name the files to use, in order: `-f BASE -f OVERLAY`"));
    }
    // An override is what plain `docker compose` layers by itself; a named development overlay takes its place.
    let overlays = if named.is_empty() { overrides } else { named };
    Ok(bases.into_iter().chain(overlays).collect())
}

fn existing(folder: &Utf8Path, stems: impl Iterator<Item = String>, disk: &dyn Listing) -> Vec<Utf8PathBuf> {
    stems
        .flat_map(|stem| ["yaml", "yml"].map(|extension| folder.join(format!("{stem}.{extension}"))))
        .filter(|path| disk.is_file(path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Environment::{Development, Production};

    struct Fake<'a>(&'a [&'a str]);

    impl Listing for Fake<'_> {
        fn is_file(&self, path: &Utf8Path) -> bool {
            self.0.iter().any(|name| path == Utf8Path::new("/p").join(name))
        }
    }

    fn found(names: &[&str], environment: Environment) -> Vec<String> {
        let files = discover(Utf8Path::new("/p"), environment, &Fake(names)).expect("no ambiguity").unwrap_or_default();
        files.iter().map(|file| file.strip_prefix("/p").expect("inside").to_string()).collect()
    }

    #[test]
    fn the_usual_layouts_are_found() {
        for (names, environment, files) in [
            (&["compose.yaml"][..], Production, &["compose.yaml"][..]),
            (&["docker-compose.yml", "docker-compose.prod.yml"], Production, &["docker-compose.yml", "docker-compose.prod.yml"]),
            (&["docker-compose.yml", "docker-compose.prod.yml"], Development, &["docker-compose.yml"]),
            (&["docker-compose.yml", "docker-compose-prod.yml"], Production, &["docker-compose.yml", "docker-compose-prod.yml"]),
            (&["docker-compose.production.yml"], Production, &["docker-compose.production.yml"]),
            (&["compose.yaml", "compose.override.yaml"], Development, &["compose.yaml", "compose.override.yaml"]),
            (&["compose.yaml", "compose.override.yaml", "compose.dev.yaml"], Development, &["compose.yaml", "compose.dev.yaml"]),
            (&["compose.yaml", "compose.override.yaml"], Production, &["compose.yaml"]),
            (&["compose/base.yaml", "compose/production.yaml"], Production, &["compose/base.yaml", "compose/production.yaml"]),
            (&["compose/base.yaml", "compose/development.yaml"], Development, &["compose/base.yaml", "compose/development.yaml"]),
            (&["docker/docker-compose.yml"], Production, &["docker/docker-compose.yml"]),
            (&["README.md"], Production, &[]),
        ] {
            assert_eq!(found(names, environment), files, "{names:?}");
        }
    }

    #[test]
    fn two_candidates_are_an_error_that_names_both() {
        for names in
            [&["compose.yaml", "docker-compose.yml"][..], &["compose.yaml", "compose.prod.yaml", "compose.production.yml"]]
        {
            let error = discover(Utf8Path::new("/p"), Production, &Fake(names)).expect_err("ambiguous");
            assert!(names[names.len() - 2..].iter().all(|name| error.message.contains(name)), "{error}");
            assert!(error.help.is_some());
        }
    }
}
