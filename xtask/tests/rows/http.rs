//! One request and what came back, for trials.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// An answer, whatever its status.
pub struct Answer {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body as it was sent.
    pub body: Vec<u8>,
}

impl Answer {
    /// All values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a header that must be there once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "`{name}` is in {:?}", self.headers);
        all[0]
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Asks for a page.
pub fn get(url: &str) -> Answer {
    get_with(url, &[])
}

/// Asks for a page, with these headers.
pub fn get_with(url: &str, headers: &[(&str, &str)]) -> Answer {
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).timeout_global(Some(PATIENCE));
    let mut request = Agent::new_with_config(config.build()).get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = request.call().unwrap_or_else(|error| panic!("{url}: {error}"));
    let text = |value: &ureq::http::HeaderValue| value.to_str().expect("text").to_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let status = response.status().as_u16();
    let body = response.body_mut().read_to_vec().expect("a body");
    Answer { status, headers, body }
}

/// Sends JSON, with a token where there is one, and gives the JSON that came back.
pub fn post(url: &str, token: &str, body: &Value) -> Value {
    let request = ureq::post(url).header("content-type", "application/json").header("authorization", format!("Bearer {token}"));
    let mut response = request.send(body.to_string()).unwrap_or_else(|error| panic!("{url}: {error}"));
    serde_json::from_slice(&response.body_mut().read_to_vec().expect("a body")).expect("JSON")
}
