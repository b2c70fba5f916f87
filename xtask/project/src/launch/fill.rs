//! Secrets on their way into containers that do not run yet, as archives that the engine unpacks. Which file each one becomes is
//! decided in [`crate::stack::isolate`].

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::context::Context;
use crate::docker::container::Container;
use crate::docker::engine;
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::secret::Value;
use crate::stack::isolate::{Carried, SecretFile};

/// What docker's client says of a folder that the container does not have.
const NO_FOLDER: &str = "must be a directory";

/// Puts each service's secrets into its containers, owned by the user it runs as.
pub fn fill(ctx: &Context, containers: &[Container], carried: &Carried, values: &BTreeMap<String, Value>) -> Result<()> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = containers
            .iter()
            .filter_map(|container| carried.files.get(container.service()).map(|files| (container, files)))
            .map(|(container, files)| scope.spawn(move || fill_one(ctx, container, files, values)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(Error::cannot("a thread ended unexpectedly"))))
    })
}

fn fill_one(ctx: &Context, container: &Container, files: &[SecretFile], values: &BTreeMap<String, Value>) -> Result<()> {
    let folders: BTreeSet<&str> = files.iter().map(|file| file.folder.as_str()).collect();
    for folder in folders {
        let here: Vec<&SecretFile> = files.iter().filter(|file| file.folder == folder).collect();
        unpack(ctx, container, Utf8Path::new(folder), &here, values).map_err(|mut error| {
            error.message = format!("the secrets of `{}` cannot be put into `{folder}`: {}", container.service(), error.message);
            error
        })?;
    }
    Ok(())
}

/// Unpacks files into a folder, and makes it, with those above it, where the image has none.
fn unpack(
    ctx: &Context,
    container: &Container,
    folder: &Utf8Path,
    files: &[&SecretFile],
    values: &BTreeMap<String, Value>,
) -> Result<()> {
    let mut above = folder.ancestors().peekable();
    while let Some(there) = above.next() {
        let below = folder.strip_prefix(there).unwrap_or(Utf8Path::new(""));
        let archive = archive(files, below, &container.config.user, values)
            .map_err(|error| Error::cannot(format!("the archive cannot be packed: {error}")))?;
        let argv = engine::unpack_into(&container.id, there.as_str());
        let title = argv.join(" ");
        let finished = ctx.runner.finish(Call::new(argv).stdin(archive))?;
        if finished.ok() {
            break;
        }
        let is_missing = finished.stderr.iter().any(|line| line.contains(NO_FOLDER));
        if !is_missing || above.peek().is_none() {
            return Err(ctx.runner.failure(&title, &finished));
        }
    }
    Ok(())
}

/// A tar archive of secret files in a folder, with the folders that they lie in. A service with a numeric user gets files that only
/// this user may read; where the user is root or known by name only, everyone in the container may, as it is in a Swarm.
fn archive(files: &[&SecretFile], folder: &Utf8Path, user: &str, values: &BTreeMap<String, Value>) -> std::io::Result<Vec<u8>> {
    let (uid, gid) = user.split_once(':').unwrap_or((user, user));
    let owner = uid.parse::<u64>().ok().filter(|uid| *uid != 0);
    let mut archive = tar::Builder::new(Vec::new());
    let paths: Vec<Utf8PathBuf> = files.iter().map(|file| folder.join(&file.name)).collect();
    let folders: BTreeSet<&Utf8Path> = paths.iter().flat_map(|path| path.ancestors().skip(1)).collect();
    for folder in folders.into_iter().filter(|folder| !folder.as_str().is_empty()) {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        archive.append_data(&mut header, folder, std::io::empty())?;
    }
    for (file, path) in files.iter().zip(&paths) {
        let Some(value) = values.get(&file.secret) else { continue };
        let mut header = tar::Header::new_ustar();
        header.set_size(value.expose().len() as u64);
        header.set_uid(file.uid.or(owner).unwrap_or(0));
        header.set_gid(file.gid.or(gid.parse().ok().filter(|_| owner.is_some())).unwrap_or(0));
        header.set_mode(file.mode.unwrap_or(if owner.is_some() { 0o400 } else { 0o444 }));
        archive.append_data(&mut header, path, value.expose())?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn secret(name: &str, uid: Option<u64>, mode: Option<u32>) -> SecretFile {
        SecretFile { secret: "s".into(), folder: "/run/secrets".into(), name: name.into(), uid, gid: None, mode }
    }

    fn entries(folder: &str, user: &str, file: &SecretFile) -> Vec<(String, u64, u64, u32, String)> {
        let values = BTreeMap::from([("s".to_owned(), Value::new(b"value".to_vec()))]);
        let bytes = archive(&[file], Utf8Path::new(folder), user, &values).expect("packed");
        let mut archive = tar::Archive::new(&bytes[..]);
        let entry = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
            let mut entry = entry.expect("whole");
            let (path, header) = (entry.path().expect("path").display().to_string(), entry.header().clone());
            let mut text = String::new();
            entry.read_to_string(&mut text).expect("readable");
            let number = |value: std::io::Result<u64>| value.expect("number");
            (path, number(header.uid()), number(header.gid()), header.mode().expect("mode"), text)
        };
        archive.entries().expect("an archive").map(entry).collect()
    }

    #[test]
    fn a_secret_belongs_to_the_user_of_the_service() {
        let plain = secret("a", None, None);
        let entry = |uid, gid, mode| ("a".to_owned(), uid, gid, mode, "value".to_owned());
        assert_eq!(entries("", "10001:10002", &plain), [entry(10001, 10002, 0o400)]);
        assert_eq!(entries("", "10001", &plain), [entry(10001, 10001, 0o400)]);
        assert_eq!(entries("", "", &plain), [entry(0, 0, 0o444)]);
        assert_eq!(entries("", "nginx", &plain), [entry(0, 0, 0o444)]);
        assert_eq!(entries("", "10001", &secret("a", Some(7), Some(0o440))), [entry(7, 10001, 0o440)]);
    }

    #[test]
    fn folders_that_are_missing_come_before_the_file() {
        let packed = entries("app/creds", "10001", &secret("db/pw", None, None));
        let shown: Vec<_> = packed.iter().map(|(path, uid, _, mode, _)| (path.as_str(), *uid, *mode)).collect();
        let expected =
            [("app", 0, 0o755), ("app/creds", 0, 0o755), ("app/creds/db", 0, 0o755), ("app/creds/db/pw", 10001, 0o400)];
        assert_eq!(shown, expected);
    }
}
