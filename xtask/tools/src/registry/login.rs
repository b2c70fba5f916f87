//! Who we are to a registry: docker's own configuration and helpers, and the tokens that a registry wants for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use camino::{Utf8Path, Utf8PathBuf};

use super::challenge::{self, Challenge};
use super::config::{Config, Kept, Login};
use super::curl::{Method, Request};
use super::retry;
use super::transfer::{self, Transfer};
use super::trouble::Trouble;
use super::{dice, judged};
use crate::error::{Error, Place, Result};
use crate::exec::{Call, Runner};
use crate::secret::Value;

/// How long a helper may take; some of them ask a person.
const HELPER: Duration = Duration::from_secs(60);

/// The logins that docker knows.
#[derive(Debug)]
pub struct Logins {
    config: Config,
    known: Mutex<BTreeMap<String, Option<Login>>>,
}

impl Logins {
    /// Reads docker's configuration; a user without one has no logins.
    ///
    /// # Errors
    /// The configuration cannot be read.
    pub fn read() -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let folder = variable("DOCKER_CONFIG").map(Utf8PathBuf::from);
        let folder = folder.or_else(|| variable("HOME").map(|home| Utf8Path::new(&home).join(".docker")));
        let Some(path) = folder.map(|folder| folder.join("config.json")) else { return Self::of("") };
        match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::of(""),
            Err(error) => Err(Error::cannot(format!("cannot read docker's configuration `{path}`: {error}"))),
            Ok(text) => Self::of(&text).map_err(|error| error.at(Place::file(path))),
        }
    }

    /// The logins of a configuration.
    ///
    /// # Errors
    /// It is none.
    pub fn of(text: &str) -> Result<Self> {
        let config = Config::parse(text).map_err(|at| {
            Error::cannot(format!("docker's configuration is not valid JSON ({at})"))
                .help("mend or remove the file; `docker login` writes a new one")
        })?;
        Ok(Self { config, known: Mutex::default() })
    }

    /// The login for a registry, asked for once; none where docker has none.
    ///
    /// # Errors
    /// The helper that keeps it fails, and an interrupt.
    pub fn find(&self, runner: &Runner, registry: &str) -> Result<Option<Login>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(login) = known.get(registry) {
            return Ok(login.clone());
        }
        let login = match self.config.login(registry) {
            None => None,
            Some(Kept::Here(login)) => Some(login),
            Some(Kept::Helper { helper, key }) => of_helper(runner, &helper, &key)?,
        };
        if let Some(Login::Password(_, secret) | Login::Identity(secret) | Login::Registry(secret)) = &login {
            runner.redact(&String::from_utf8_lossy(secret.expose()));
        }
        known.insert(registry.to_owned(), login.clone());
        Ok(login)
    }
}

/// Asks a credential helper.
fn of_helper(runner: &Runner, helper: &str, key: &str) -> Result<Option<Login>> {
    let program = format!("docker-credential-{helper}");
    let call = Call::new([program.as_str(), "get"]).stdin(key).verbatim().deadline(HELPER);
    let finished = runner.finish(call).map_err(|error| {
        error.help(format!("docker's configuration keeps logins with `{program}`: install it, or log in anew without it"))
    })?;
    // Helpers say that they have none in a line of words, and that they cannot look in the same way.
    let has_none = finished.stdout.contains("not found");
    if finished.ok() || has_none { Ok(Login::of_helper(&finished.stdout)) } else { Err(runner.failure(&program, &finished)) }
}

/// What convinces a registry that challenges us: the value of `Authorization`, or none where we have nothing to show.
///
/// # Errors
/// No curl, an interrupt; the trouble that a token service makes.
pub fn answer(runner: &Runner, whose: &Whose<'_>, challenges: &[Challenge]) -> Result<Result<Option<Value>, Trouble>> {
    let bearer = challenges.iter().find(|challenge| challenge.scheme == "bearer");
    match (bearer, &whose.login) {
        (Some(_), Some(Login::Registry(token))) => Ok(Ok(Some(authorization("Bearer ", token)))),
        (Some(challenge), _) => token(runner, whose, challenge),
        (None, Some(Login::Password(name, password))) if challenges.iter().any(|challenge| challenge.scheme == "basic") => {
            Ok(Ok(Some(basic(name, password))))
        }
        _ => Ok(Ok(None)),
    }
}

/// Who asks a registry for what.
pub struct Whose<'a> {
    /// The registry.
    pub registry: &'a str,
    /// Whether it is spoken to without TLS.
    pub plain: bool,
    /// Who asks.
    pub login: Option<Login>,
    /// For what.
    pub scope: &'a str,
}

/// Fetches a token.
fn token(runner: &Runner, whose: &Whose<'_>, challenge: &Challenge) -> Result<Result<Option<Value>, Trouble>> {
    let Some(url) = challenge::token_url(challenge, whose.scope) else {
        return Ok(Err(Trouble::Other("it wants a token and does not say where to get it".to_owned())));
    };
    if url.starts_with("http:") && !whose.plain && whose.login.is_some() {
        return Ok(Err(Trouble::Other("it sends us to a token service without TLS, which is not told the login".to_owned())));
    }
    let (request, credential) = match &whose.login {
        Some(Login::Identity(identity)) => {
            let form = challenge::token_form(challenge, whose.scope, &String::from_utf8_lossy(identity.expose()));
            let realm = challenge.param("realm").unwrap_or_default();
            (Request::new(Method::Post, realm).sends("application/x-www-form-urlencoded", form), None)
        }
        Some(Login::Password(name, password)) => (Request::new(Method::Get, url), Some(basic(name, password))),
        _ => (Request::new(Method::Get, url), None),
    };
    let transfer = Transfer { request: &request, credential, registry: whose.registry };
    for done in 1.. {
        let trouble = match judged(transfer::secret(runner, &transfer)?, whose.login.is_some()) {
            Ok(answer) => match challenge::token(&answer.body) {
                Some(token) => {
                    runner.redact(&String::from_utf8_lossy(token.expose()));
                    return Ok(Ok(Some(authorization("Bearer ", &token))));
                }
                None => Trouble::Other("its answer is no token".to_owned()),
            },
            Err(trouble) => trouble,
        };
        match retry::pause(done, trouble.asked(), dice()).filter(|_| done < trouble.tries()) {
            Some(pause) => runner.cancel().sleep(pause)?,
            None => return Ok(Err(trouble.of_tokens(&request.url))),
        }
    }
    Ok(Ok(None))
}

fn authorization(scheme: &str, token: &Value) -> Value {
    Value::new([scheme.as_bytes(), token.expose()].concat())
}

fn basic(name: &str, password: &Value) -> Value {
    let pair = [name.as_bytes(), b":", password.expose()].concat();
    authorization("Basic ", &Value::new(STANDARD.encode(pair)))
}
