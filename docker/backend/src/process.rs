//! What the kernel says about this process: memory, processor time, and the memory limit it runs under. Linux only, like the image.

use std::{fs, io};

/// Clock ticks a second in `/proc/self/stat`: fixed by the kernel's interface to user space (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// A memory limit above this is the old interface's way to say "none": it is the largest page-aligned number there is.
const NO_LIMIT: u64 = 1 << 60;

/// What this process has used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Physical memory held now, in bytes.
    pub resident_bytes: u64,
    /// Processor time since the start, user and system, in seconds.
    pub cpu_seconds: f64,
}

impl Usage {
    /// Asks the kernel.
    ///
    /// # Errors
    /// When `/proc` is not mounted or not of the known form.
    pub fn read() -> io::Result<Self> {
        let unknown = |file: &str| io::Error::new(io::ErrorKind::InvalidData, format!("cannot understand `{file}`"));
        Ok(Self {
            resident_bytes: resident_bytes(&fs::read_to_string("/proc/self/status")?)
                .ok_or_else(|| unknown("/proc/self/status"))?,
            cpu_seconds: cpu_seconds(&fs::read_to_string("/proc/self/stat")?).ok_or_else(|| unknown("/proc/self/stat"))?,
        })
    }
}

/// The memory limit of this process's control group in bytes, if it has one that can be seen from inside.
pub fn memory_limit() -> Option<u64> {
    // Version 2 of control groups, then version 1.
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .iter()
        .find_map(|file| limit(&fs::read_to_string(file).ok()?))
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    // The second field is the program's name in parentheses and may hold anything: count from behind it.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < NO_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let usage = Usage::read().expect("a Linux machine");
        assert!(usage.resident_bytes > 100_000, "{usage:?}");
        assert!(usage.cpu_seconds >= 0.0, "{usage:?}");
    }

    #[test]
    fn the_kernels_text_is_understood() {
        assert_eq!(resident_bytes("Name:\tb\nVmRSS:\t    8192 kB\n"), Some(8192 * 1024));
        assert_eq!(resident_bytes("Name:\tb\n"), None);
        let stat = "7 (a) b (c)) S 1 1 1 0 -1 4194560 153 0 0 0 250 50 0 0 20 0 3 0 1 0";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("7 (b"), None);
    }

    #[test]
    fn no_limit_has_two_spellings() {
        assert_eq!(limit("536870912\n"), Some(536_870_912));
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("9223372036854771712\n"), None);
    }
}
