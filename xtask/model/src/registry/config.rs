//! Docker's `config.json`: who a registry knows us as. Values that a credential helper keeps are asked for elsewhere; here is only
//! which helper, and what its answer means.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Deserialize;
use serde_json::json;

use crate::secret::Value;

/// What docker calls the registry of references that name none, where it keeps credentials.
const HUB: &str = "https://index.docker.io/v1/";

/// The user name by which helpers mark an identity token.
const TOKEN_USER: &str = "<token>";

/// What docker's configuration says of credentials.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Config {
    auths: BTreeMap<String, Entry>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// An entry holds secrets: nothing of it is shown.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Who we are to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// A name and a password, or an access token in its place.
    Password(String, Value),
    /// A token with which the registry's token service gives others.
    Identity(Value),
    /// A token that goes to the registry as it is.
    Registry(Value),
}

/// Where a login is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In the configuration itself.
    Here(Login),
    /// `docker-credential-HELPER get` knows it under this key.
    Helper {
        /// The helper's name.
        helper: String,
        /// What it is asked for.
        key: String,
    },
}

/// What a helper answers.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// What is wrong with it; nothing of its contents is quoted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let error = |error: serde_json::Error| format!("line {}, column {}", error.line(), error.column());
        if text.trim().is_empty() { Ok(Self::default()) } else { serde_json::from_str(text).map_err(error) }
    }

    /// Where the login for a registry is; none where docker would ask without one. The order is docker's: the registry's own
    /// helper, the store of all, the file.
    pub fn login(&self, registry: &str) -> Option<Kept> {
        let key = key(registry);
        let own = self.helpers.iter().find(|(host, _)| host_of(host) == host_of(&key)).map(|(_, helper)| helper);
        if let Some(helper) = own.or(self.store.as_ref()).filter(|helper| !helper.is_empty()) {
            return Some(Kept::Helper { helper: helper.clone(), key });
        }
        let (_, entry) = self.auths.iter().find(|(host, _)| host_of(host) == host_of(&key))?;
        entry.login().map(Kept::Here)
    }
}

impl Entry {
    fn login(&self) -> Option<Login> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = given(&self.registrytoken) {
            return Some(Login::Registry(Value::new(token)));
        }
        if let Some(token) = given(&self.identitytoken) {
            return Some(Login::Identity(Value::new(token)));
        }
        if let (Some(name), Some(password)) = (given(&self.username), given(&self.password)) {
            return Some(Login::Password(name, Value::new(password)));
        }
        let decoded = String::from_utf8(STANDARD.decode(given(&self.auth)?.trim()).ok()?).ok()?;
        let (name, password) = decoded.split_once(':')?;
        // Docker ends some passwords with a NUL.
        Some(Login::Password(name.to_owned(), Value::new(password.trim_end_matches('\0'))))
    }
}

impl Login {
    /// Reads the answer of a helper's `get`; none where it has nothing.
    pub fn of_helper(answer: &str) -> Option<Self> {
        let answer: Answer = serde_json::from_str(answer).ok()?;
        match answer.username.as_str() {
            _ if answer.secret.is_empty() => None,
            TOKEN_USER => Some(Self::Identity(Value::new(answer.secret))),
            name => Some(Self::Password(name.to_owned(), Value::new(answer.secret))),
        }
    }

    /// The `X-Registry-Auth` by which the engine is told the login for a push to a registry.
    pub fn for_engine(login: Option<&Self>, registry: &str) -> Value {
        let text = |value: &Value| String::from_utf8_lossy(value.expose()).into_owned();
        let document = match login {
            Some(Self::Password(name, password)) => {
                json!({"username": name, "password": text(password), "serveraddress": key(registry)})
            }
            Some(Self::Identity(token)) => json!({"identitytoken": text(token), "serveraddress": key(registry)}),
            Some(Self::Registry(token)) => json!({"registrytoken": text(token), "serveraddress": key(registry)}),
            None => json!({}),
        };
        Value::new(URL_SAFE.encode(document.to_string()))
    }
}

/// What docker calls a registry where it keeps credentials.
fn key(registry: &str) -> String {
    if registry == "docker.io" { HUB.to_owned() } else { registry.to_owned() }
}

/// The host and port of a key, which may be an address.
fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(name: &str, password: &str) -> Login {
        Login::Password(name.to_owned(), Value::new(password))
    }

    #[test]
    fn a_login_is_found_as_docker_finds_it() {
        let text = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "YTpiOmM="},
            "https://reg.example": {"identitytoken": "t"},
            "reg.example:5000": {"username": "u", "password": "p"},
            "empty.example": {}
          }, "credHelpers": {"cloud.example": "cloud"}, "HttpHeaders": {"x": "y"}}"#;
        let config = Config::parse(text).expect("right");
        let here = |login| Some(Kept::Here(login));
        assert_eq!(config.login("docker.io"), here(password("a", "b:c")));
        assert_eq!(config.login("reg.example"), here(Login::Identity(Value::new("t"))));
        assert_eq!(config.login("reg.example:5000"), here(password("u", "p")));
        assert_eq!((config.login("empty.example"), config.login("other.example")), (None, None));
        let helper = |helper: &str, key: &str| Some(Kept::Helper { helper: helper.into(), key: key.into() });
        assert_eq!(config.login("cloud.example"), helper("cloud", "cloud.example"));
        let config = Config::parse(r#"{"credsStore": "pass", "auths": {"docker.io": {"auth": "YTpi"}}}"#).expect("right");
        assert_eq!(config.login("docker.io"), helper("pass", HUB));
    }

    #[test]
    fn a_broken_configuration_is_told_without_its_contents() {
        let error = Config::parse("{\n\"auths\": {\"a\": {\"auth\": secret}}}").expect_err("broken");
        assert!(error.starts_with("line 2, column "), "{error}");
        assert!(Config::parse("  ").is_ok());
    }

    #[test]
    fn a_helpers_answer_is_a_password_or_a_token() {
        let answer = |user: &str| Login::of_helper(&format!(r#"{{"ServerURL":"x","Username":"{user}","Secret":"s"}}"#));
        assert_eq!(answer("me"), Some(password("me", "s")));
        assert_eq!(answer(TOKEN_USER), Some(Login::Identity(Value::new("s"))));
        assert_eq!(Login::of_helper("credentials not found in native keychain"), None);
    }

    #[test]
    fn the_engine_is_told_in_its_own_words() {
        let told = Login::for_engine(Some(&password("u", "p")), "r.example");
        let told: serde_json::Value = serde_json::from_slice(&URL_SAFE.decode(told.expose()).expect("Base64")).expect("JSON");
        assert_eq!(told, json!({"username": "u", "password": "p", "serveraddress": "r.example"}));
        assert_eq!(Login::for_engine(None, "r.example").expose(), b"e30=");
    }
}
