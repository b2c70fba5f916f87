//! Which compose files a task reads: those that `-f` or `COMPOSE_FILE` names, else those that have the names teams use.

use camino::{Utf8Path, Utf8PathBuf};

use super::env_files;
use crate::context::Context;
use crate::error::{Error, Result, none_of};
use crate::stack::Environment;
use crate::stack::discover::{Disk, discover};
use crate::stack::env_file::defined;

/// The variable that names compose files, in the order in which they layer.
pub const LIST: &str = "COMPOSE_FILE";

/// The variable that says what stands between them.
const SEPARATOR: &str = "COMPOSE_PATH_SEPARATOR";

/// What stands between them where nothing says it.
const BETWEEN: &str = ":";

/// What [`LIST`] says, and where it was found.
struct Named {
    list: String,
    separator: Option<String>,
    found: String,
}

/// The project's folder and its compose files, in the order in which they layer: of the nearest folder at or above the one that the
/// task starts in, unless they are named.
///
/// # Errors
/// There are none; one that is named is not there; two could have the same role.
pub fn find(ctx: &Context, environment: Environment) -> Result<(Utf8PathBuf, Vec<Utf8PathBuf>)> {
    if !ctx.global.files.is_empty() {
        let files = ctx.global.files.iter().map(|file| ctx.start.join(file)).collect();
        return Ok((ctx.start.clone(), there(files, None)?));
    }
    let given: Vec<Utf8PathBuf> = ctx.global.env_file.iter().map(|file| ctx.start.join(file)).collect();
    if let Some(named) = in_environment().map_or_else(|| in_files(&given, &ctx.start).transpose(), |named| Some(Ok(named))) {
        return follow(ctx, &ctx.start, &named?);
    }
    for folder in ctx.start.ancestors() {
        let own = [".env".to_owned(), format!(".env.{}", environment.name())].map(|name| folder.join(name));
        let beside = if given.is_empty() { in_files(&own, folder)? } else { None };
        if let Some(named) = beside {
            return follow(ctx, folder, &named);
        }
        if let Some(files) = discover(folder, environment, &Disk)? {
            return Ok((folder.to_owned(), files));
        }
    }
    Err(Error::cannot(format!("no compose file in `{}` or above it", ctx.start)).help(
        "name it with `-f FILE`, or its folder with `-C DIR`; known names are `compose.yaml`, `docker-compose.yml` and \
         `compose/base.yaml`, with overlays such as `compose.production.yaml`",
    ))
}

/// The files that are named, seen from a folder, which is the project's.
fn follow(ctx: &Context, folder: &Utf8Path, named: &Named) -> Result<(Utf8PathBuf, Vec<Utf8PathBuf>)> {
    let files = split(&named.list, named.separator.as_deref()).into_iter().map(|file| folder.join(file)).collect();
    let files = there(files, Some(&named.found))?;
    ctx.ui.step("files", format!("named by `{LIST}` in {}", named.found));
    Ok((folder.to_owned(), files))
}

/// What the process's environment says.
fn in_environment() -> Option<Named> {
    let variable =
        |name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()).filter(|text| !text.is_empty());
    Some(Named { list: variable(LIST)?, separator: variable(SEPARATOR), found: "the environment".to_owned() })
}

/// What environment files say, later ones winning; those that are not there, or no files, say nothing.
fn in_files(files: &[Utf8PathBuf], folder: &Utf8Path) -> Result<Option<Named>> {
    let (mut list, mut separator) = (None, None);
    for file in files.iter().filter(|file| file.is_file()) {
        let text = env_files::read(file)?;
        let value = |name: &str| defined(&text).get(name).map(|value| bare(value)).filter(|value| !value.is_empty());
        let found = |list| (list, format!("`{}`", file.strip_prefix(folder).unwrap_or(file)));
        list = value(LIST).map(found).or(list);
        separator = value(SEPARATOR).or(separator);
    }
    Ok(list.map(|(list, found)| Named { list, separator, found }))
}

/// A value without the quotes, or the comment, that it is written with.
fn bare(value: &str) -> String {
    let quoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.split_once(quote));
    quoted.map_or_else(|| value.split(" #").next().unwrap_or(value).trim(), |(inner, _)| inner).to_owned()
}

fn split<'a>(list: &'a str, separator: Option<&str>) -> Vec<&'a str> {
    list.split(separator.unwrap_or(BETWEEN)).map(str::trim).filter(|file| !file.is_empty()).collect()
}

fn there(files: Vec<Utf8PathBuf>, found: Option<&str>) -> Result<Vec<Utf8PathBuf>> {
    let missing = |file: &Utf8PathBuf| {
        let error = Error::cannot(format!("no compose file at `{file}`"));
        match found {
            Some(found) => error.help(format!("`{LIST}` in {found} names it; `-f FILE` takes the place of what it says")),
            None => error,
        }
    };
    none_of(files.iter().filter(|file| !file.is_file()).map(missing).collect())?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_compose_reads_it() {
        for (written, meant) in
            [("a.yaml:b.yaml", "a.yaml:b.yaml"), ("\"a b.yaml\" # both", "a b.yaml"), ("'x'", "x"), ("a.yaml # one", "a.yaml")]
        {
            assert_eq!(bare(written), meant);
        }
        assert_eq!(split("a.yaml::b.yaml", None), ["a.yaml", "b.yaml"]);
        assert_eq!(split("a:1.yaml;b.yaml", Some(";")), ["a:1.yaml", "b.yaml"]);
    }
}
