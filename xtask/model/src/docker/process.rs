//! What the kernel says of a container's first process: the files under `/proc/PID`, read as text.

/// What a process may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The user it runs as.
    pub uid: u32,
    /// Its effective capabilities, by the kernel's names without `CAP_`.
    pub capabilities: Vec<String>,
    /// Whether neither it nor its children can gain privileges.
    pub no_new_privileges: bool,
}

/// The kernel's capabilities by number (linux/capability.h).
#[rustfmt::skip]
const CAPABILITIES: [&str; 41] = [
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
    "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
    "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
    "PERFMON", "BPF", "CHECKPOINT_RESTORE",
];

/// Reads `/proc/PID/status`.
pub fn parse_status(text: &str) -> Option<Process> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim));
    let mask = u64::from_str_radix(field("CapEff")?, 16).ok()?;
    let name = |bit: usize| CAPABILITIES.get(bit).map_or_else(|| format!("number {bit}"), |name| (*name).to_owned());
    Some(Process {
        // Real, effective, saved and file system user.
        uid: field("Uid")?.split_whitespace().nth(1)?.parse().ok()?,
        capabilities: (0..64).filter(|bit| mask >> bit & 1 == 1).map(name).collect(),
        no_new_privileges: field("NoNewPrivs")? == "1",
    })
}

/// Whether the root file system is mounted read-only, by `/proc/PID/mountinfo`.
pub fn root_is_read_only(mountinfo: &str) -> Option<bool> {
    let fields = mountinfo.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    // Of several mounts on one place the last is seen.
    let options = fields.filter(|fields| fields.get(4) == Some(&"/")).filter_map(|fields| fields.get(5).copied()).next_back()?;
    Some(options.split(',').any(|option| option == "ro"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_capabilities_and_privileges_are_read() {
        let status = |caps: &str, nnp: &str| format!("Name:\tx\nUid:\t0\t10001\t0\t0\nCapEff:\t{caps}\nNoNewPrivs:\t{nnp}\n");
        let process = parse_status(&status("0000000000000000", "1")).expect("a status");
        assert_eq!(process, Process { uid: 10001, capabilities: vec![], no_new_privileges: true });
        let process = parse_status(&status("8000010000000401", "0")).expect("a status");
        assert_eq!(process.capabilities, ["CHOWN", "NET_BIND_SERVICE", "CHECKPOINT_RESTORE", "number 63"]);
        assert_eq!(parse_status("Uid:\tx"), None);
        assert_eq!(parse_status(""), None);
    }

    #[test]
    fn the_last_mount_on_the_root_counts() {
        let line = |place: &str, options: &str| format!("1 0 0:1 / {place} {options},relatime - overlay overlay rw,lowerdir=x\n");
        assert_eq!(root_is_read_only(&(line("/", "rw") + &line("/", "ro") + &line("/tmp", "rw"))), Some(true));
        assert_eq!(root_is_read_only(&line("/", "rw")), Some(false));
        assert_eq!(root_is_read_only("garbage"), None);
    }
}
