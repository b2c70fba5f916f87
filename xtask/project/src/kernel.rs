//! What this machine's kernel has said of containers. Some engines are not told that the kernel ended a process for want of memory,
//! and show a kill like any other; the kernel's own log names the container.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;

/// The most that one record of the log holds, from `Documentation/ABI/testing/dev-kmsg` of the kernel.
const RECORD: usize = 8192;

/// Whether the kernel's log says that a process of this container was ended for want of memory. No where the log cannot be read,
/// and of containers on another machine.
pub fn starved(container: &str) -> bool {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let Ok(mut log) = OpenOptions::new().read(true).custom_flags(flags).open("/dev/kmsg") else { return false };
    let mut record = [0; RECORD];
    loop {
        match log.read(&mut record) {
            Ok(0) => return false,
            Ok(length) if says_so(&String::from_utf8_lossy(&record[..length]), container) => return true,
            Ok(_) => {}
            // Records that were overwritten while they were read are skipped.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted) => {}
            Err(_at_its_end) => return false,
        }
    }
}

fn says_so(record: &str, container: &str) -> bool {
    !container.is_empty() && record.contains("oom-kill:") && record.contains(container)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_names_the_container() {
        let record = "4,1203,41381622264,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/docker/cc573d,\
                      task_memcg=/docker/cc573d,task=tail,pid=23290,uid=0\n";
        assert!(says_so(record, "cc573d") && !says_so(record, "dd573d") && !says_so(record, ""));
        assert!(!says_so("4,1,2,-;docker0: port 1(cc573d) entered disabled state\n", "cc573d"));
        assert!(!starved("a container that never was"));
    }
}
