//! Permissions: files that lend their owner's rights, files and folders that everyone may change, and entries that no builder
//! writes. Only what a container sees matters here.

use super::{Broken, Found, Scene};
use crate::report::Level;
use crate::tar::Kind;
use crate::view::Spot;

const SETUID: u16 = 0o4000;
const SETGID: u16 = 0o2000;
const STICKY: u16 = 0o1000;
const OTHERS_WRITE: u16 = 0o0002;

/// Finds them.
pub fn find(scene: &Scene<'_>, found: &mut Found) {
    scene.view.visible().filter_map(|spot| of(scene, spot)).for_each(|broken| found.add(broken));
    for (layer, index) in scene.view.layers.iter().zip(0_u32..) {
        for (item, position) in layer.items.iter().zip(0_u32..) {
            let spot = Spot { layer: index, item: position };
            if item.leaves {
                let message = "a name that tries to leave the root; no builder writes one".to_owned();
                found.add(scene.at("path-traversal", Level::Error, spot, message, "do not use this image; find out who made it"));
            }
            if item.kind == Kind::Link && item.data.is_none() {
                let message = "a further name of a file that is not there".to_owned();
                found.add(scene.at("broken-link", Level::Warning, spot, message, "build the image again"));
            }
        }
    }
}

fn of(scene: &Scene<'_>, spot: Spot) -> Option<Broken> {
    let item = scene.view.item(spot);
    let has = |bits: u16| item.mode & bits != 0;
    let (rule, message, fix) = match item.kind {
        Kind::File if has(SETUID | SETGID) => {
            let whose = if has(SETUID) { "owner" } else { "group" };
            (
                "setuid",
                format!("runs with the rights of its {whose}, whoever starts it"),
                "take the bit away with `chmod a-s`, or the file",
            )
        }
        Kind::File if has(OTHERS_WRITE) => {
            ("world-writable", "everyone may change it".to_owned(), "take the right away with `chmod o-w`")
        }
        Kind::Directory if has(OTHERS_WRITE) && !has(STICKY) => (
            "world-writable",
            "everyone may add and remove files in it, other people's too".to_owned(),
            "take the right away with `chmod o-w`, or protect each other's files with `chmod +t`",
        ),
        _ => return None,
    };
    Some(scene.at(rule, Level::Warning, spot, message, fix))
}
