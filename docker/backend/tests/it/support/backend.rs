//! The program under test: its settings, its life, its logs.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{self, Child, Command, ExitStatus, Output, Stdio},
};

use serde_json::{Value, json};

use super::{Database, database, http::Request, http::Response, secret, setting, unique, wait_for};

/// The secrets given to every backend, each in a file.
pub const JWT_SECRET: &str = "the-secret-that-signs-the-tokens-of-tests";
pub const ENCRYPTION_KEY: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";

/// The environment of a backend, and a directory for its files.
pub struct Settings {
    variables: BTreeMap<String, String>,
    directory: PathBuf,
}

impl Settings {
    /// A complete environment without a database that could be reached.
    pub fn offline() -> Self {
        let directory = std::env::temp_dir().join(format!("backend-test-{}-{}", process::id(), unique()));
        fs::create_dir(&directory).expect("a new directory");
        Self { variables: BTreeMap::new(), directory }
            .set("HOST", "127.0.0.1")
            .set("API_PORT", free_port())
            .set("HEALTH_PORT", free_port())
            .set("LOG_LEVEL", "debug")
            .set("POSTGRES_HOST", "127.0.0.1")
            .set("POSTGRES_PORT", free_port())
            .set("POSTGRES_USER", "nobody")
            .set("POSTGRES_DB", "nothing")
            .set("REDIS_URL", format!("redis://127.0.0.1:{}", free_port()))
            .set("RATE_LIMIT_PER_MINUTE", "0")
            .set("HEALTH_INTERVAL", "1")
            .secret("POSTGRES_PASSWORD", "no-password")
            .secret("JWT_SECRET", JWT_SECRET)
            .secret("ENCRYPTION_KEY", ENCRYPTION_KEY)
    }

    /// A complete environment for the given database and the Redis of the tests.
    pub fn new(database: &Database) -> Self {
        Self::offline()
            .set("POSTGRES_HOST", setting("TEST_POSTGRES_HOST"))
            .set("POSTGRES_PORT", database::port())
            .set("POSTGRES_USER", setting("TEST_POSTGRES_USER"))
            .set("POSTGRES_DB", &database.name)
            .set("REDIS_URL", setting("TEST_REDIS_URL"))
            .secret("POSTGRES_PASSWORD", &secret("TEST_POSTGRES_PASSWORD"))
    }

    /// Sets a variable.
    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.variables.insert(name.to_owned(), value.to_string());
        self
    }

    /// Removes a variable.
    pub fn unset(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Gives a secret in a file, as a container gets it.
    pub fn secret(self, name: &str, value: &str) -> Self {
        let file = self.directory.join(name);
        fs::write(&file, format!("{value}\n")).expect("a writable directory");
        self.set(&format!("{name}_FILE"), file.display())
    }

    /// Leads the database connection through another address.
    pub fn database_at(self, address: SocketAddr) -> Self {
        self.set("POSTGRES_HOST", address.ip()).set("POSTGRES_PORT", address.port())
    }

    /// The program with these settings and nothing else in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backend"));
        command.args(arguments).env_clear().envs(&self.variables);
        command
    }

    /// Brings the database up to date.
    pub fn migrate(&self) {
        let output = run(self.command(&["migrate"]));
        assert!(output.status.success(), "{output:?}");
    }

    fn address(&self, port: &str) -> SocketAddr {
        format!("127.0.0.1:{}", self.variables[port]).parse().expect("an address")
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.directory).expect("the directory is still there");
    }
}

/// A running backend. It is killed when the test lets go of it.
pub struct Backend {
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where the health server listens.
    pub health: SocketAddr,
    /// Its settings.
    pub settings: Settings,
    child: Child,
}

impl Backend {
    /// Starts the program and waits until it is alive. Whether it is ready is another matter.
    pub fn start(settings: Settings) -> Self {
        let log = File::create(settings.directory.join("log")).expect("a log file");
        let errors = log.try_clone().expect("another handle");
        let child = settings.command(&["serve"]).stdout(log).stderr(errors).spawn().expect("the program starts");
        let backend = Self { api: settings.address("API_PORT"), health: settings.address("HEALTH_PORT"), settings, child };
        wait_for("the backend to be alive", || Request::new("GET", "/healthz").try_send(backend.health).ok());
        backend
    }

    /// Starts the program on a migrated database and waits until it is ready.
    pub fn ready(settings: Settings) -> Self {
        settings.migrate();
        let backend = Self::start(settings);
        backend.wait_until_ready(true);
        backend
    }

    /// Waits until it says that it is ready, or not.
    pub fn wait_until_ready(&self, ready: bool) {
        wait_for(&format!("readiness to be {ready}"), || ((self.asks("/ready").status == 200) == ready).then_some(()));
    }

    /// Asks the health server.
    pub fn asks(&self, path: &str) -> Response {
        Request::new("GET", path).send(self.health)
    }

    /// Makes a session and gives its id and token.
    pub fn session(&self) -> (String, String) {
        let created = Request::new("POST", "/api/sessions").json(&json!({})).send(self.api);
        assert_eq!(created.status, 201, "{created:?}");
        let text = |name: &str| created.value()[name].as_str().expect("text").to_owned();
        (text("id"), text("token"))
    }

    /// The request that stores a message of a user.
    pub fn message(session: &str, token: &str, content: &str) -> Request {
        Request::new("POST", &format!("/api/sessions/{session}/messages"))
            .token(token)
            .json(&json!({"role": "user", "content": content}))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its short name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.pid())]).status();
        assert!(sent.expect("a shell").success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the backend to end", || self.child.try_wait().expect("a child"))
    }

    /// All it has written so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.settings.directory.join("log")).expect("a log file")
    }

    /// Its log lines so far, which must all be JSON objects.
    pub fn log_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.log().lines().map(parse).collect()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        // Fails when the test has already seen its end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
pub fn run(mut command: Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the program starts")
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound address").port()
}
