//! `docker pull`: its progress, and what a refusal means.

use std::collections::BTreeMap;

/// Pulls an image; progress comes as lines, since stdout is no terminal.
pub fn pull(reference: &str) -> Vec<String> {
    ["docker", "pull", reference].map(str::to_owned).to_vec()
}

/// Why an image was not pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing that speaks for the registry answers the engine.
    Silent,
    /// The engine itself does not answer.
    NoEngine,
    /// The registry answers, and has no such image or does not give it to this user.
    NoSuchImage,
    /// The registry wants fewer pulls, or a login.
    Limited,
    /// Worth another try.
    Transient,
    /// The engine's disk is full.
    DiskFull,
    /// Anything else.
    Other,
}

/// What the engine says and what it means, the surest sign first.
const SIGNS: &[(&str, Refusal)] = &[
    ("no space left on device", Refusal::DiskFull),
    ("toomanyrequests", Refusal::Limited),
    ("429 Too Many Requests", Refusal::Limited),
    ("Cannot connect to the Docker daemon", Refusal::NoEngine),
    ("failed to connect to the docker API", Refusal::NoEngine),
    ("permission denied while trying to connect", Refusal::NoEngine),
    ("error during connect", Refusal::NoEngine),
    ("manifest unknown", Refusal::NoSuchImage),
    ("no matching manifest", Refusal::NoSuchImage),
    ("pull access denied", Refusal::NoSuchImage),
    ("repository name not known", Refusal::NoSuchImage),
    ("unauthorized", Refusal::NoSuchImage),
    ("access to the resource is denied", Refusal::NoSuchImage),
    ("403 Forbidden", Refusal::NoSuchImage),
    ("no such host", Refusal::Silent),
    ("server misbehaving", Refusal::Silent),
    ("connection refused", Refusal::Silent),
    ("network is unreachable", Refusal::Silent),
    ("no route to host", Refusal::Silent),
    ("i/o timeout", Refusal::Silent),
    ("TLS handshake timeout", Refusal::Silent),
    ("context deadline exceeded", Refusal::Silent),
    ("Client.Timeout exceeded", Refusal::Silent),
    // A proxy that answers in the registry's place.
    ("x509:", Refusal::Silent),
    ("tls:", Refusal::Silent),
    ("proxyconnect", Refusal::Silent),
    (": Forbidden", Refusal::Silent),
    (": Bad Gateway", Refusal::Silent),
    ("server gave HTTP response to HTTPS client", Refusal::Silent),
    ("500 Internal Server Error", Refusal::Transient),
    ("502 Bad Gateway", Refusal::Transient),
    ("503 Service Unavailable", Refusal::Transient),
    ("504 Gateway", Refusal::Transient),
    ("unexpected EOF", Refusal::Transient),
    ("connection reset", Refusal::Transient),
    (": EOF", Refusal::Transient),
    ("not found", Refusal::NoSuchImage),
];

/// What the last words of a failed pull mean. A connection that breaks after the registry has `answered` is worth another try.
pub fn refusal(stderr: &str, answered: bool) -> Refusal {
    let sign = SIGNS.iter().find(|(sign, _)| stderr.contains(sign));
    match sign.map_or(Refusal::Other, |(_, refusal)| *refusal) {
        Refusal::Silent if answered => Refusal::Transient,
        refusal => refusal,
    }
}

/// How far a pull is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    answered: bool,
    /// Whether each layer is complete, by its short id.
    layers: BTreeMap<String, bool>,
}

impl Progress {
    /// Takes a line of stdout.
    pub fn on(&mut self, line: &str) {
        let Some((layer, state)) = line.split_once(": ") else { return };
        // This line comes once the registry has sent the manifest: `17: Pulling from library/postgres`.
        self.answered |= state.starts_with("Pulling from ");
        match state {
            "Pulling fs layer" | "Waiting" | "Downloading" => {
                self.layers.entry(layer.to_owned()).or_default();
            }
            "Pull complete" | "Already exists" => {
                self.layers.insert(layer.to_owned(), true);
            }
            _ => {}
        }
    }

    /// Whether the registry has answered.
    pub fn answered(&self) -> bool {
        self.answered
    }

    /// Such as `3 of 9 layers`; empty before the first layer is known.
    pub fn told(&self) -> String {
        let complete = self.layers.values().filter(|complete| **complete).count();
        if self.layers.is_empty() { String::new() } else { format!("{complete} of {} layers", self.layers.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_by_what_the_engine_says() {
        let get = r#"Error response from daemon: Get "https://registry.example/v2/": "#;
        for (said, expected) in [
            (format!("{get}dial tcp: lookup registry.example on 127.0.0.53:53: no such host"), Refusal::Silent),
            (format!("{get}dial tcp 192.0.2.1:443: connect: connection refused"), Refusal::Silent),
            (format!("{get}net/http: request canceled (Client.Timeout exceeded while awaiting headers)"), Refusal::Silent),
            (format!("{get}tls: failed to verify certificate: x509: certificate signed by unknown authority"), Refusal::Silent),
            (format!("{get}Forbidden"), Refusal::Silent),
            (format!("{get}EOF"), Refusal::Transient),
            ("received unexpected HTTP status: 503 Service Unavailable".into(), Refusal::Transient),
            ("toomanyrequests: You have reached your pull rate limit".into(), Refusal::Limited),
            ("manifest for a:1 not found: manifest unknown: manifest unknown".into(), Refusal::NoSuchImage),
            ("pull access denied for a, repository does not exist or may require 'docker login'".into(), Refusal::NoSuchImage),
            (r#"failed to resolve reference "r.example/a:1": r.example/a:1: not found"#.into(), Refusal::NoSuchImage),
            ("write /var/lib/docker/tmp/x: no space left on device".into(), Refusal::DiskFull),
            ("Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?".into(), Refusal::NoEngine),
            ("something new".into(), Refusal::Other),
        ] {
            assert_eq!(refusal(&said, false), expected, "{said}");
        }
        assert_eq!(refusal("read tcp: i/o timeout", true), Refusal::Transient);
    }

    #[test]
    fn progress_counts_layers() {
        let mut progress = Progress::default();
        assert!(!progress.answered() && progress.told().is_empty());
        progress.on("Using default tag: latest");
        assert!(!progress.answered());
        for line in [
            "17: Pulling from library/postgres",
            "aaa: Pulling fs layer",
            "bbb: Already exists",
            "aaa: Download complete",
            "Digest: sha256:00",
        ] {
            progress.on(line);
        }
        assert!(progress.answered());
        assert_eq!(progress.told(), "1 of 2 layers");
        progress.on("aaa: Pull complete");
        assert_eq!(progress.told(), "2 of 2 layers");
    }
}
