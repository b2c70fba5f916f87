//! A push by the engine, over its own interface: what it is asked, and what its progress says. The engine packs the layers, knows what
//! a registry has, and makes the manifest.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::secret::Value;
use crate::stack::ImageRef;

/// Speaks to the engine wherever docker's client would: its stdin and stdout are the connection.
pub fn command() -> Vec<String> {
    ["docker", "system", "dial-stdio"].map(str::to_owned).to_vec()
}

/// Gives an image a further name.
pub fn tag(image: &str, name: &str) -> Vec<String> {
    ["docker", "tag", image, name].map(str::to_owned).to_vec()
}

/// The requests to push an image, with the login as the engine wants it. The engine pushes what has the name, so an `id` gives the
/// image the name before and takes it away after: three requests on one connection, which the engine answers in order even if nobody
/// waits any more.
pub fn requests(image: &ImageRef, id: Option<&str>, login: &Value) -> Value {
    let (name, tag) = (image.name(), image.tag.as_deref().unwrap_or("latest"));
    let head = |method: &str, path: &str, last: bool| {
        let connection = if last { "Connection: close\r\n" } else { "" };
        format!("{method} /images/{path} HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n{connection}")
    };
    let mut text = Vec::new();
    if let Some(id) = id {
        text.extend(head("POST", &format!("{id}/tag?repo={name}&tag={tag}"), false).bytes().chain(*b"\r\n"));
    }
    text.extend(head("POST", &format!("{name}/push?tag={tag}"), id.is_none()).bytes());
    text.extend([b"X-Registry-Auth: ", login.expose(), b"\r\n\r\n"].concat());
    if id.is_some() {
        text.extend(head("DELETE", &format!("{name}:{tag}?noprune=true"), true).bytes().chain(*b"\r\n"));
    }
    Value::new(text)
}

/// How far a push is, and how it ended.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    status: Option<u16>,
    layers: BTreeMap<String, Layer>,
    /// The digest that the engine pushed.
    pub digest: Option<String>,
    /// What it says of a failure.
    pub error: Option<String>,
}

/// How far a layer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// Bytes, unpacked, that are on their way or there.
    pub sent: u64,
    /// Bytes, unpacked.
    pub total: u64,
    /// Whether it is there.
    pub done: bool,
    /// Whether it had to be sent.
    pub new: bool,
    /// Whether the engine has tried it again.
    pub again: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Message {
    id: Option<String>,
    status: Option<String>,
    progress_detail: Detail,
    error: Option<String>,
    aux: Option<Aux>,
    /// What the engine says when it refuses the request as a whole.
    message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    current: u64,
    total: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Aux {
    digest: Option<String>,
}

impl Progress {
    /// Takes a line of the answers. What is neither the first line of one nor a message is a header, or the length of what follows.
    /// What is said after the digest is about the name, and the first thing that goes wrong is what went wrong.
    pub fn on(&mut self, line: &str) {
        if self.digest.is_some() {
            return;
        }
        if let Some(rest) = line.strip_prefix("HTTP/1.") {
            self.status = rest.split(' ').nth(1).and_then(|status| status.parse().ok());
        }
        let Ok(message) = serde_json::from_str::<Message>(line) else { return };
        self.digest = message.aux.and_then(|aux| aux.digest).or(self.digest.take());
        self.error = self.error.take().or(message.error).or(message.message);
        let (Some(id), Some(status)) = (message.id, message.status) else { return };
        let layer = self.layers.entry(id).or_default();
        match status.as_str() {
            "Pushing" => {
                let Detail { current, total } = message.progress_detail;
                // Towards the end the engine counts what tar adds, too.
                *layer = Layer { sent: current, total: total.max(current), new: true, ..*layer };
            }
            "Pushed" => *layer = Layer { sent: layer.total, done: true, new: true, ..*layer },
            "Layer already exists" => layer.done = true,
            mounted if mounted.starts_with("Mounted from ") => layer.done = true,
            again if again.starts_with("Retrying in ") => layer.again = true,
            _ => {}
        }
    }

    /// The digest that was pushed.
    ///
    /// # Errors
    /// What the engine says, or that it said nothing.
    pub fn outcome(&self) -> Result<String, String> {
        match (&self.error, &self.digest, self.status) {
            (Some(error), _, _) => Err(error.clone()),
            (None, Some(digest), Some(200)) => Ok(digest.clone()),
            (None, _, Some(status)) => Err(format!("the engine answers {status} and names no digest")),
            (None, _, None) => Err("the engine does not answer".to_owned()),
        }
    }

    /// Whether the engine has tried a layer again and again, and given it up.
    pub fn gave_up(&self) -> bool {
        self.layers.values().any(|layer| layer.again && !layer.done)
    }

    /// Bytes, unpacked: on their way or there, and in all, of the layers that are sent.
    pub fn bytes(&self) -> (u64, u64) {
        let sent = self.layers.values().filter(|layer| layer.new);
        sent.fold((0, 0), |(sent, total), layer| (sent + layer.sent, total + layer.total))
    }

    /// A layer, by its digest unpacked.
    pub fn layer(&self, diff_id: &str) -> Option<Layer> {
        let short = diff_id.split_once(':')?.1.get(..12)?;
        self.layers.get(short).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn progress(lines: &[&str]) -> Progress {
        let mut progress = Progress::default();
        lines.iter().for_each(|line| progress.on(line));
        progress
    }

    #[test]
    fn requests_name_image_tag_and_login() {
        let image: ImageRef = "r.example:5000/a/b:1".parse().expect("a reference");
        let lines = |id| {
            let requests = requests(&image, id, &Value::new("e30="));
            let text = String::from_utf8(requests.expose().to_vec()).expect("UTF-8");
            assert!(text.ends_with("\r\n\r\n") && text.matches("Connection: close").count() == 1, "{text}");
            text.lines().filter(|line| line.contains(" /") || line.contains("Auth")).map(str::to_owned).collect::<Vec<_>>()
        };
        let push = ["POST /images/r.example:5000/a/b/push?tag=1 HTTP/1.1", "X-Registry-Auth: e30="];
        assert_eq!(lines(None), push);
        let named = lines(Some("sha256:0"));
        assert_eq!(named[0], "POST /images/sha256:0/tag?repo=r.example:5000/a/b&tag=1 HTTP/1.1");
        assert_eq!(
            (&named[1..3], named[3].as_str()),
            (&push.map(str::to_owned)[..], "DELETE /images/r.example:5000/a/b:1?noprune=true HTTP/1.1")
        );
    }

    #[test]
    fn progress_tells_bytes_and_what_was_there() {
        let progress = progress(&[
            "HTTP/1.0 200 OK",
            "Content-Type: application/json",
            "",
            r#"{"status":"The push refers to repository [r/a]"}"#,
            r#"{"status":"Preparing","progressDetail":{},"id":"aaaaaaaaaaaa"}"#,
            r#"{"status":"Layer already exists","progressDetail":{},"id":"bbbbbbbbbbbb"}"#,
            r#"{"status":"Pushing","progressDetail":{"current":10,"total":40},"progress":"[=>  ]","id":"aaaaaaaaaaaa"}"#,
            r#"{"status":"Pushing","progressDetail":{"current":30,"total":40},"id":"aaaaaaaaaaaa"}"#,
            r#"{"status":"Pushed","progressDetail":{},"id":"cccccccccccc"}"#,
        ]);
        assert_eq!(progress.bytes(), (30, 40));
        let layer = |letter: &str| progress.layer(&format!("sha256:{}", letter.repeat(64))).expect("told");
        assert!(!layer("a").done && layer("b").done && !layer("b").new && layer("c").new);
        assert!(progress.outcome().is_err_and(|why| why.contains("names no digest")));
    }

    #[test]
    fn a_layer_that_the_engine_tried_again_and_did_not_get_through_is_given_up() {
        let again = r#"{"status":"Retrying in 5 seconds","progressDetail":{},"id":"aaaaaaaaaaaa"}"#;
        let pushed = r#"{"status":"Pushed","progressDetail":{},"id":"aaaaaaaaaaaa"}"#;
        assert!(progress(&[again]).gave_up());
        assert!(!progress(&[again, pushed]).gave_up() && !progress(&[pushed]).gave_up());
    }

    #[test]
    fn a_push_ends_with_a_digest_or_with_words() {
        let digest = r#"{"progressDetail":{},"aux":{"Tag":"1","Digest":"sha256:1","Size":1360}}"#;
        assert_eq!(progress(&["HTTP/1.0 200 OK", digest]).outcome(), Ok("sha256:1".to_owned()));
        let denied = r#"{"errorDetail":{"message":"denied"},"error":"denied"}"#;
        assert_eq!(
            progress(&["HTTP/1.1 201 Created", "HTTP/1.1 200 OK", denied, "HTTP/1.1 404 x"]).outcome(),
            Err("denied".to_owned())
        );
        let named = progress(&["HTTP/1.1 200 OK", "45", digest, "HTTP/1.1 409 Conflict", r#"{"message":"in use"}"#]);
        assert_eq!(named.outcome(), Ok("sha256:1".to_owned()));
        assert_eq!(progress(&["HTTP/1.1 400 Bad Request", r#"{"message":"bad"}"#]).outcome(), Err("bad".to_owned()));
        assert_eq!(progress(&[]).outcome(), Err("the engine does not answer".to_owned()));
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in ".*", id in ".*") {
            let progress = progress(&[&line, &format!("HTTP/1.{line}"), &format!("{{\"id\":{line},\"status\":{line}}}")]);
            let _any = (progress.bytes(), progress.layer(&id), progress.outcome().is_ok());
        }
    }
}
