//! Who made a thing in the engine: this machine, this boot, this process. A run that was killed leaves things whose owner is
//! gone; the next run finds them by that.

use rustix::process::{Pid, getpid, test_kill_process};

/// The label that names a run's owner.
pub const OWNER: &str = "dev.xtask.owner";

/// The label that names a run.
pub const RUN: &str = "dev.xtask.run";

/// The variable that names its owner to a process which makes things in the engine. Such a process outlives an owner that is
/// killed, and what it makes then is as much a leftover as what it made before.
pub const VARIABLE: &str = "XTASK_OWNER";

/// How many processes of this machine still make things for an owner that is gone.
pub fn orphans() -> usize {
    let Ok(processes) = std::fs::read_dir("/proc") else { return 0 };
    processes.flatten().filter(|entry| is_orphan(&entry.path())).count()
}

/// Whether a process, by its folder, makes things for an owner that is gone.
fn is_orphan(process: &std::path::Path) -> bool {
    let prefix = format!("{VARIABLE}=");
    // Processes of other users do not show it; nor do those that have just ended.
    let environment = std::fs::read(process.join("environ")).unwrap_or_default();
    let owner = environment.split(|byte| *byte == 0).find_map(|one| one.strip_prefix(prefix.as_bytes()));
    owner.is_some_and(|owner| is_gone(&String::from_utf8_lossy(owner)))
}

/// This process, as the value of [`OWNER`]: machine, boot, process id and its start time, joined by `/`.
pub fn me() -> String {
    let pid = getpid().as_raw_nonzero().get();
    format!("{}/{}/{pid}/{}", machine(), boot(), start_time(pid).unwrap_or_default())
}

/// Whether the owner that a label names can be told to be gone. Owners on other machines cannot.
pub fn is_gone(owner: &str) -> bool {
    let parts: Vec<&str> = owner.split('/').collect();
    let [its_machine, its_boot, pid, its_start] = parts[..] else { return false };
    if its_machine != machine() {
        return false;
    }
    let Some(pid) = pid.parse().ok().and_then(Pid::from_raw) else { return false };
    let start = start_time(pid.as_raw_nonzero().get()).unwrap_or_default();
    its_boot != boot() || test_kill_process(pid) == Err(rustix::io::Errno::SRCH) || start != its_start
}

fn machine() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").map(|id| id.trim().to_owned()).unwrap_or_default();
    if id.is_empty() { rustix::system::uname().nodename().to_string_lossy().replace('/', "-") } else { id }
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// The 22nd field of `/proc/PID/stat`, in clock ticks since boot; a process id that is used again has another one.
fn start_time(pid: i32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows it is fields 3 and up.
    stat.rsplit_once(") ")?.1.split(' ').nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_not_gone_and_a_dead_one_is() {
        let me = me();
        assert!(!is_gone(&me), "{me}");
        let mut child = std::process::Command::new("true").spawn().expect("true starts");
        child.wait().expect("true ends");
        let parts: Vec<&str> = me.split('/').collect();
        let dead = format!("{}/{}/{}/1", parts[0], parts[1], child.id());
        assert!(is_gone(&dead), "{dead}");
        assert!(is_gone(&format!("{}/another-boot/{}/{}", parts[0], parts[2], parts[3])));
        assert!(is_gone(&format!("{}/{}/{}/0", parts[0], parts[1], parts[2])), "the id is used again");
    }

    #[test]
    fn a_process_is_an_orphan_once_its_owner_is_gone() {
        let sleeper =
            |owner: &str| std::process::Command::new("sleep").arg("60").env(VARIABLE, owner).spawn().expect("sleep starts");
        let me = me();
        let parts: Vec<&str> = me.split('/').collect();
        let gone = format!("{}/another-boot/{}/{}", parts[0], parts[2], parts[3]);
        let mut children = [sleeper(&me), sleeper(&gone)];
        let folder = |child: &std::process::Child| std::path::PathBuf::from(format!("/proc/{}", child.id()));
        // A process that has only begun to be another program has no environment yet.
        let begun = |child| std::fs::read(folder(child).join("environ")).is_ok_and(|environment| !environment.is_empty());
        while !children.iter().all(begun) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let is_orphan = |child| is_orphan(&folder(child));
        assert!(!is_orphan(&children[0]) && is_orphan(&children[1]) && orphans() > 0);
        for child in &mut children {
            child.kill().expect("it runs");
            child.wait().expect("it ends");
        }
    }

    #[test]
    fn an_owner_elsewhere_or_unreadable_is_left_alone() {
        for owner in ["other-machine/boot/1/1", "", "a/b/c", "a/b/c/d"] {
            assert!(!is_gone(owner), "{owner}");
        }
    }
}
