//! Asks registries, through `curl`: with docker's own logins, several questions at once, again where that may help. What registries
//! mean by their answers is in the `model` crate; what a verb does with them, in the tasks.

mod blobs;
mod login;
mod manifests;
mod referring;
#[cfg(test)]
mod tests;
mod transfer;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

pub use login::Logins;
pub use manifests::Found;
pub use model::registry::{challenge, config, curl, endpoint, manifest, referrers, retry, trouble};
pub use referring::by_digest;

use crate::error::Result;
use crate::exec::{Call, Runner, Standby};
use crate::moment::Moment;
use crate::secret::Value;
use crate::ui::Ui;
use challenge::Challenge;
use curl::{Request, Response};
use endpoint::{Endpoint, Insecure, is_loopback};
use login::Whose;
use transfer::Transfer;
use trouble::Trouble;

/// A pause that a person should know the reason of.
const TOLD: Duration = Duration::from_secs(3);

/// How many questions one curl is given: each takes up to three open files.
const AT_ONCE: usize = 128;

/// A question to a registry.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The registry, as image references name it.
    pub registry: String,
    /// The repository that it is about.
    pub repository: String,
    /// Whether it changes something there.
    pub writes: bool,
    /// The question itself.
    pub request: Request,
}

/// What came of a question.
pub type Answer = Result<Response, Trouble>;

/// Speaks to registries. Tokens are kept as long as it lives.
#[derive(Clone, Debug)]
pub struct Client {
    runner: Runner,
    ui: Ui,
    logins: Arc<Logins>,
    insecure: Arc<OnceLock<Insecure>>,
    /// Values of `Authorization`, by registry and scope.
    granted: Arc<Mutex<BTreeMap<(String, String), Value>>>,
    /// Curls that have been started ahead.
    waiting: Arc<Mutex<Vec<Standby>>>,
}

/// How far a question is.
#[derive(Default)]
struct Slot {
    answer: Option<Answer>,
    tries: u32,
    /// Whether a credential has been fetched for it.
    authorised: bool,
}

impl Client {
    /// A client with docker's logins.
    ///
    /// # Errors
    /// There is no `curl`; docker's configuration cannot be read.
    pub fn new(runner: &Runner, ui: &Ui) -> Result<Self> {
        runner.locate("curl")?;
        let (runner, ui) = (runner.clone(), ui.clone());
        Ok(Self::with(runner, ui, Logins::read()?))
    }

    fn with(runner: Runner, ui: Ui, logins: Logins) -> Self {
        let logins = Arc::new(logins);
        Self { runner, ui, logins, insecure: Arc::default(), granted: Arc::default(), waiting: Arc::default() }
    }

    /// The same for what must not be broken off half way: an interrupt does not end its questions.
    pub fn unstoppable(&self) -> Self {
        // A curl that was started before is one that an interrupt ends.
        Self { runner: self.runner.unstoppable(), waiting: Arc::default(), ..self.clone() }
    }

    /// Starts what this many rounds of questions will need. Worth it while something else is waited for: starting takes longer
    /// than asking.
    ///
    /// # Errors
    /// No curl, an interrupt.
    pub fn stand_by(&self, rounds: usize) -> Result<()> {
        for _ in 0..rounds {
            let curl = transfer::stand_by(&self.runner)?;
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(curl);
        }
        Ok(())
    }

    /// Where a registry answers. The engine is asked, once, which registries it speaks to without TLS.
    pub fn endpoint(&self, registry: &str) -> Endpoint {
        // Loopback and the registry of all need no question.
        if is_loopback(registry) || registry == "docker.io" {
            return Endpoint::of(registry, &Insecure::default());
        }
        let ask = || {
            // Without an engine none is insecure.
            let told = self.runner.finish(Call::new(Insecure::ask())).map(|finished| finished.stdout);
            Insecure::parse(&told.unwrap_or_default())
        };
        Endpoint::of(registry, self.insecure.get_or_init(ask))
    }

    /// What the engine is to be told of our login when it pushes to a registry.
    ///
    /// # Errors
    /// The helper that keeps the login fails, and an interrupt.
    pub fn engine_login(&self, registry: &str) -> Result<Value> {
        let login = self.logins.find(&self.runner, registry)?;
        Ok(config::Login::for_engine(login.as_ref(), registry))
    }

    /// Asks everything at once, again and again where that may help, and gives the answers in the order of the questions. An answer
    /// that is not a yes is its [`Trouble`].
    ///
    /// # Errors
    /// No curl, no room for temporary files, a failing credential helper, an interrupt.
    pub fn send(&self, asks: &[Ask]) -> Result<Vec<Answer>> {
        let mut slots: Vec<Slot> = asks.iter().map(|_| Slot::default()).collect();
        loop {
            let open: Vec<usize> = (0..slots.len()).filter(|index| slots[*index].answer.is_none()).collect();
            if open.is_empty() {
                return Ok(slots.into_iter().filter_map(|slot| slot.answer).collect());
            }
            let transfers: Vec<Transfer<'_>> = open.iter().map(|index| self.transfer(&asks[*index])).collect();
            let mut answers = Vec::new();
            for some in transfers.chunks(AT_ONCE) {
                let curl = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
                answers.extend(transfer::all(&self.runner, curl, some)?);
            }
            let (mut pause, mut challenged) = (Duration::ZERO, Vec::new());
            for (index, answer) in open.into_iter().zip(answers) {
                let (ask, slot) = (&asks[index], &mut slots[index]);
                if let Some(challenges) = challenges(&answer).filter(|_| !slot.authorised) {
                    slot.authorised = true;
                    challenged.push((index, challenges));
                    continue;
                }
                slot.tries += 1;
                let known = self.logins.find(&self.runner, &ask.registry)?.is_some();
                match judged(answer, known) {
                    Err(trouble) if slot.tries < trouble.tries() => match retry::pause(slot.tries, trouble.asked(), dice()) {
                        Some(asked) => pause = pause.max(asked),
                        None => slot.answer = Some(Err(trouble)),
                    },
                    answer => slot.answer = Some(answer),
                }
            }
            self.authorise(asks, &challenged, &mut slots)?;
            self.wait(pause)?;
        }
    }

    fn transfer<'a>(&self, ask: &'a Ask) -> Transfer<'a> {
        let granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        let credential = granted.get(&key(ask)).cloned();
        Transfer { request: &ask.request, credential, registry: &ask.registry }
    }

    /// Answers challenges, one for each registry and scope, side by side. A question whose registry cannot be convinced is over.
    fn authorise(&self, asks: &[Ask], challenged: &[(usize, Vec<Challenge>)], slots: &mut [Slot]) -> Result<()> {
        let mut wanted: BTreeMap<_, (Vec<usize>, &[Challenge])> = BTreeMap::new();
        for (index, challenges) in challenged {
            wanted.entry(key(&asks[*index])).or_insert((Vec::new(), challenges)).0.push(*index);
        }
        // Asked for before there are threads, so that a helper is asked once for each registry.
        let registries: BTreeSet<&String> = wanted.keys().map(|(registry, _)| registry).collect();
        let logins: BTreeMap<_, _> =
            registries.into_iter().map(|one| Ok((one, self.logins.find(&self.runner, one)?))).collect::<Result<_>>()?;
        let one = |(registry, scope): &(String, String), challenges: &[Challenge]| {
            let plain = self.endpoint(registry).base.starts_with("http:");
            let login = logins.get(registry).cloned().flatten();
            login::answer(&self.runner, &Whose { registry, plain, login, scope }, challenges)
        };
        let one = &one;
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = wanted.iter().map(|(key, (_, asked))| scope.spawn(move || one(key, asked))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        for ((key, (indices, _)), outcome) in wanted.into_iter().zip(outcomes) {
            let trouble = match outcome? {
                Ok(Some(credential)) => {
                    self.granted.lock().unwrap_or_else(PoisonError::into_inner).insert(key, credential);
                    continue;
                }
                Ok(None) => Trouble::Nobody(401),
                Err(trouble) => trouble,
            };
            indices.into_iter().for_each(|index| slots[index].answer = Some(Err(trouble.clone())));
        }
        Ok(())
    }

    fn wait(&self, pause: Duration) -> Result<()> {
        if pause >= TOLD {
            self.ui.more(format!("a registry is busy: going on in {} s", pause.as_secs()));
        }
        if pause.is_zero() { Ok(()) } else { self.runner.cancel().sleep(pause) }
    }
}

fn key(ask: &Ask) -> (String, String) {
    (ask.registry.clone(), challenge::scope(&ask.repository, ask.writes))
}

/// The challenges of an answer that says 401.
fn challenges(answer: &Answer) -> Option<Vec<Challenge>> {
    let answer = answer.as_ref().ok().filter(|answer| answer.status == 401)?;
    Some(challenge::parse(answer.header("www-authenticate").unwrap_or_default()))
}

/// An answer that says yes, or what is the matter.
fn judged(answer: Answer, known: bool) -> Answer {
    let answer = answer?;
    if !answer.ok() {
        return Err(Trouble::of_answer(&answer, known, Moment::now()));
    }
    let is_page = answer.header("content-type").is_some_and(|told| told.contains("html"));
    if is_page { Err(Trouble::NotARegistry("it answers with a web page".to_owned())) } else { Ok(answer) }
}

/// A number from 0 to 1, for pauses that should not be the same everywhere.
fn dice() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
