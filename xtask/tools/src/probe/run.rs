//! Runs probes side by side: who tries when, how long to go on, and what an interrupt does. What one try does is in the modules
//! beside this one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Attempt, Mismatch, Outcome, Target, http, inside, tcp, tls, what};
use crate::exec::Runner;
use crate::stack::probe::Probe;

/// How many probes are under way at once; they spend their time waiting, not computing.
const WORKERS: usize = 64;

/// The longest that one try may take, so that a service which accepts and never answers is asked again.
const TRY: Duration = Duration::from_secs(5);

/// What a try gets when its deadline is over already, because each probe is tried at least once.
const LEAST: Duration = Duration::from_secs(1);

/// The pause after the first try; each is half as long again as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How soon an interrupt is seen: [`Cancel`] wakes what sleeps on it, not what waits for a socket or a channel.
const LOOK: Duration = Duration::from_millis(50);

/// Runs all probes in parallel, each again and again until it passes, until `deadline` or its own one (whichever is earlier),
/// or until an interrupt of `runner`. Each is tried at least once unless interrupted first. Calls `on_done` when one ends, and
/// gives the outcomes in the order of `targets`.
pub fn run(targets: &[Target], deadline: Instant, runner: &Runner, on_done: &(dyn Fn(&Outcome) + Sync)) -> Vec<Outcome> {
    let cancel = runner.cancel();
    let mut latest: Vec<Outcome> = targets.iter().map(untried).collect();
    let mut open = vec![true; targets.len()];
    let mut take = |news: News| {
        if news.over {
            open[news.index] = false;
            on_done(&news.outcome);
        }
        latest[news.index] = news.outcome;
        open.contains(&true)
    };
    let reports = start(targets, deadline, runner);
    let mut waiting = !targets.is_empty();
    while waiting && !cancel.is_set() {
        match reports.recv_timeout(LOOK) {
            Ok(news) => waiting = take(news),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    reports.try_iter().for_each(|news| {
        take(news);
    });
    latest.iter().zip(open).filter(|(_, open)| *open).for_each(|(outcome, _)| on_done(outcome));
    latest
}

/// What a probe's last try has shown.
struct News {
    index: usize,
    outcome: Outcome,
    /// Whether it is not tried again.
    over: bool,
}

/// Starts the workers. They are not joined: after an interrupt one may hang on a socket for as long as [`TRY`], and nobody
/// wants its answer any more.
fn start(targets: &[Target], deadline: Instant, runner: &Runner) -> Receiver<News> {
    let (sender, reports) = channel();
    let targets: Arc<[Target]> = targets.into();
    let next = Arc::new(AtomicUsize::new(0));
    for _ in 0..targets.len().min(WORKERS) {
        let (targets, next, runner, sender) = (targets.clone(), next.clone(), runner.clone(), sender.clone());
        thread::spawn(move || {
            while let Some((index, target)) = take_one(&targets, &next).filter(|_| !runner.cancel().is_set()) {
                follow(index, target, deadline, &runner, &sender);
            }
        });
    }
    reports
}

fn take_one<'a>(targets: &'a [Target], next: &AtomicUsize) -> Option<(usize, &'a Target)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    targets.get(index).map(|target| (index, target))
}

/// Tries one probe until it is over, and reports every try.
fn follow(index: usize, target: &Target, deadline: Instant, runner: &Runner, reports: &Sender<News>) {
    let started = Instant::now();
    let until = target.probe.deadline.map_or(deadline, |own| deadline.min(started + own.0));
    let left = || until.saturating_duration_since(Instant::now());
    let mut pause = FIRST_PAUSE;
    let mut answered = None;
    for tries in 1.. {
        let left_now = left().max(LEAST);
        let attempt = attempt(target, runner, left_now.min(TRY), left_now).map_err(|wrong| telling(wrong, &mut answered));
        let left = left();
        let over = attempt.is_ok() || left.is_zero();
        let outcome = outcome(target, attempt, tries, started.elapsed());
        let nobody_listens = reports.send(News { index, outcome, over }).is_err();
        if over || nobody_listens || runner.cancel().sleep(pause.min(left)).is_err() {
            return;
        }
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// What is told of a try that failed: of one that was given up, what the last one has shown that was not.
fn telling(wrong: Vec<Mismatch>, answered: &mut Option<Vec<Mismatch>>) -> Vec<Mismatch> {
    if wrong.iter().any(|one| one.given_up) {
        return answered.clone().unwrap_or(wrong);
    }
    answered.insert(wrong).clone()
}

/// Tries a probe once, for as long as `time`.
pub fn once(target: &Target, runner: &Runner, time: Duration) -> Outcome {
    let started = Instant::now();
    let attempt = attempt(target, runner, time, time);
    outcome(target, attempt, 1, started.elapsed())
}

/// Tries once; a command in a container gets all the time there is, because nothing ends it when its client is given up.
fn attempt(target: &Target, runner: &Runner, timeout: Duration, left: Duration) -> Attempt {
    let Probe { http, tls, exec, log, .. } = &target.probe;
    match (http, tls, exec, log) {
        (Some(path), ..) => http::attempt(target, path, timeout),
        (_, Some(tls), ..) => tls::attempt(runner, target, tls, timeout),
        (_, _, Some(words), _) => inside::command(runner, target, words, left),
        (.., Some(text)) => inside::log(runner, target, text, timeout),
        _ => tcp::attempt(target, timeout),
    }
}

fn untried(target: &Target) -> Outcome {
    Outcome {
        service: target.service.clone(),
        replica: target.replica,
        what: what(&target.probe),
        port: target.probe.port(),
        place: target.place.clone(),
        expected: target.expected(),
        actual: "no answer yet".to_owned(),
        passed: false,
        tries: 0,
        took: Duration::ZERO,
    }
}

fn outcome(target: &Target, attempt: Attempt, tries: u32, took: Duration) -> Outcome {
    let blank = Outcome { tries, took, ..untried(target) };
    match attempt {
        Ok(actual) => Outcome { actual, passed: true, ..blank },
        Err(mismatches) => {
            let (expected, actual): (Vec<_>, Vec<_>) = mismatches.into_iter().map(|one| (one.expected, one.actual)).unzip();
            Outcome { expected: expected.join("\n"), actual: actual.join("\n"), ..blank }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use super::super::testing::{answer, closed_port, http_target, runner, serve, tcp_target};
    use super::*;
    use crate::stack::Span;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn outcomes_keep_the_order_and_each_is_told_once() {
        let port = serve(|mut stream, _| answer(&mut stream, "200 OK", "", "fine"));
        let targets = [http_target(port, "/a"), tcp_target(port), http_target(port, "/b")];
        let told = Mutex::new(Vec::new());
        let outcomes = run(&targets, soon(), &runner(), &|outcome| told.lock().expect("one").push(outcome.what.clone()));
        assert_eq!(outcomes.iter().map(|o| o.what.as_str()).collect::<Vec<_>>(), ["GET /a", "TCP open", "GET /b"]);
        assert!(outcomes.iter().all(|outcome| outcome.passed && outcome.tries == 1), "{outcomes:?}");
        assert_eq!(told.lock().expect("one").len(), 3);
        assert!(run(&[], soon(), &runner(), &|_| ()).is_empty());
    }

    #[test]
    fn a_service_that_needs_time_passes_in_the_end() {
        let port = serve(|mut stream, visit| {
            let status = if visit < 3 { "503 Service Unavailable" } else { "200 OK" };
            answer(&mut stream, status, "", "");
        });
        let outcomes = run(&[http_target(port, "/")], soon(), &runner(), &|_| ());
        assert!(outcomes[0].passed, "{outcomes:?}");
        assert_eq!(outcomes[0].tries, 4);
        assert!(outcomes[0].took >= FIRST_PAUSE * 3, "pauses grow: {:?}", outcomes[0].took);
    }

    #[test]
    fn the_last_state_is_told_at_the_deadline() {
        let port = serve(|mut stream, _| answer(&mut stream, "503 Service Unavailable", "", "no database\nreally"));
        let deadline = Instant::now() + Duration::from_secs(1);
        let outcomes = run(&[http_target(port, "/health")], deadline, &runner(), &|_| ());
        assert!(outcomes[0].tries > 1, "{outcomes:?}");
        let told = format!("`web` GET /health on port {port}: expected status 200, got 503: no database");
        assert_eq!(outcomes[0].to_string(), told);
    }

    #[test]
    fn a_try_that_is_given_up_does_not_hide_what_an_earlier_one_has_shown() {
        let given_up = || vec![Mismatch::given_up("exit code 0", Duration::from_millis(1999))];
        let answer = |code: &str| vec![Mismatch::new("exit code 0", code)];
        let mut answered = None;
        assert_eq!(telling(given_up(), &mut answered)[0].actual, "no end within 2.0s");
        assert_eq!(telling(answer("exit code 3"), &mut answered), answer("exit code 3"));
        assert_eq!(telling(given_up(), &mut answered), answer("exit code 3"));
        assert_eq!(telling(answer("exit code 4"), &mut answered), answer("exit code 4"));
    }

    #[test]
    fn its_own_deadline_ends_a_probe_first() {
        let mut target = tcp_target(closed_port());
        target.probe.deadline = Some(Span(Duration::from_millis(60)));
        let outcomes = run(&[target], soon(), &runner(), &|_| ());
        assert!(!outcomes[0].passed && outcomes[0].took < Duration::from_secs(5), "{outcomes:?}");
    }

    #[test]
    fn a_deadline_that_is_over_still_leaves_one_try() {
        let targets = vec![tcp_target(closed_port()); WORKERS + 3];
        let outcomes = run(&targets, Instant::now(), &runner(), &|_| ());
        assert!(outcomes.iter().all(|outcome| outcome.tries == 1 && !outcome.passed), "{outcomes:?}");
    }

    #[test]
    fn an_interrupt_ends_all_at_once_and_keeps_what_is_known() {
        let silent = serve(|stream, _| {
            thread::sleep(Duration::from_secs(30));
            drop(stream);
        });
        let sick = serve(|mut stream, _| answer(&mut stream, "500 Internal Server Error", "", "oops"));
        let runner = runner();
        let token = runner.cancel().clone();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(800));
            token.set();
        });
        let started = Instant::now();
        let told = Mutex::new(0);
        let targets = [http_target(silent, "/"), http_target(sick, "/")];
        let outcomes = run(&targets, soon(), &runner, &|_| *told.lock().expect("one") += 1);
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
        assert_eq!((outcomes[0].tries, outcomes[0].actual.as_str()), (0, "no answer yet"));
        assert_eq!(outcomes[1].actual, "500: oops");
        assert_eq!(*told.lock().expect("one"), 2);
    }

    #[test]
    fn the_document_counts_seconds() {
        let port = serve(|mut stream, _| stream.write_all(b"hello").expect("client listens"));
        let outcome =
            Outcome { took: Duration::from_millis(1500), ..run(&[tcp_target(port)], soon(), &runner(), &|_| ()).remove(0) };
        let document = serde_json::to_value(&outcome).expect("JSON");
        assert_eq!(document["seconds"], 1.5);
        assert_eq!((&document["passed"], &document["port"]), (&true.into(), &port.into()));
    }
}
