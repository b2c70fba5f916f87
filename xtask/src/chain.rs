//! Several tasks in one command line, as people type `make build up`: `cargo xtask dev-build dev-up`. Also where `cargo`'s own
//! way of calling a subcommand and grouped help are dealt with.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches, ValueEnum};

use crate::cli::{Cli, Format, GROUPS, Global, Task};
use crate::error::{EXIT_CODES, Error};

/// Parses a command line into the tasks it names; each gets the global options of all.
///
/// # Errors
/// What clap says of a wrong command line; help and version, which clap reports in the same way.
pub fn parse(mut argv: Vec<OsString>) -> Result<Vec<Cli>, clap::Error> {
    // Cargo runs `cargo xtask …` as `cargo-xtask xtask …`.
    if argv.len() > 1 && argv[1] == "xtask" {
        argv.remove(1);
    }
    let command = command();
    let mut parsed: Vec<Cli> = Vec::new();
    for mut segment in split(&command, argv) {
        ask_for_help(&command, &mut segment);
        let matches = command.clone().try_get_matches_from(segment).map_err(nearest_first)?;
        parsed.push(Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command.clone()))?);
    }
    let global = merge(parsed.iter().map(|cli| &cli.global));
    if global.quiet && global.verbose > 0 {
        return Err(command.clone().error(ErrorKind::ArgumentConflict, "`--quiet` and `--verbose` contradict each other"));
    }
    parsed.iter_mut().for_each(|cli| cli.global = global.clone());
    match impossible(global.format.unwrap_or_default(), &parsed) {
        Some(why) => Err(command.clone().error(ErrorKind::ArgumentConflict, why)),
        None => Ok(parsed),
    }
}

/// Whether a command line, wrong as it may be, asks for one JSON document.
pub fn wants_json(argv: &[OsString]) -> bool {
    let pair = |pair: &[OsString]| pair[0] == "--format" && pair[1] == "json";
    argv.windows(2).any(pair) || argv.iter().any(|word| word == "--format=json")
}

/// What is wrong with a command line as an error like any other.
pub fn told(usage: &clap::Error) -> Error {
    let text = usage.to_string();
    let mut parts = text.split("\n\n").map(|part| part.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    let message = parts.next().unwrap_or_default();
    let error = Error::cannot(message.trim_start_matches("error: "));
    match parts.find_map(|part| part.strip_prefix("tip: ").map(str::to_owned)) {
        Some(tip) => error.help(tip),
        None => error.help("`--help` tells what there is"),
    }
}

/// Why these tasks cannot answer in this format, if they cannot.
fn impossible(format: Format, tasks: &[Cli]) -> Option<String> {
    let name = format.to_possible_value()?.get_name().to_owned();
    if format != Format::Text && tasks.len() > 1 {
        return Some(format!(
            "`--format {name}` gives one document, and several tasks give several answers: run them one by one"
        ));
    }
    let is_whole = |cli: &Cli| !cli.global.dry_run;
    let smokes = |cli: &Cli| matches!(&cli.task, Task::Smoke(args) if !args.clean) && is_whole(cli);
    let sums_up = |cli: &Cli| matches!(&cli.task, Task::Ci(_)) && is_whole(cli);
    let whose = match format {
        Format::Junit if !tasks.iter().all(smokes) => "the verdict of `smoke`",
        Format::Markdown if !tasks.iter().all(|cli| smokes(cli) || sums_up(cli)) => "the verdicts of `smoke` and `ci`",
        _ => return None,
    };
    Some(format!("`--format {name}` is for {whose}"))
}

/// How many names a mistyped one is answered with.
const SUGGESTIONS: usize = 3;

/// Makes of `help TASK`, which most programs with subcommands understand, what clap understands without one of this name.
fn ask_for_help(command: &Command, segment: &mut Vec<OsString>) {
    let is_task = |word: &OsString| word.to_str().is_some_and(|word| command.find_subcommand(word).is_some());
    let before = segment.iter().position(is_task).unwrap_or(segment.len());
    let is_value = |at: usize| segment[at - 1].to_str().is_some_and(|word| takes_value(command, None, word));
    if let Some(at) = (1..before).find(|at| segment[*at] == "help" && !is_value(*at)) {
        segment.remove(at);
        segment.push("--help".into());
    }
}

/// Names the tasks that an unknown one is like, the nearest first, and leaves out those further away.
fn nearest_first(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    let known = match error.get(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(known)) => known.clone(),
        _ => with_part(unknown),
    };
    let mut scored: Vec<_> = known.into_iter().map(|name| (strsim::jaro_winkler(unknown, &name), name)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let nearest: Vec<_> = scored.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect();
    if !nearest.is_empty() {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(nearest));
    }
    error
}

/// The tasks that have this word between dashes, as `dev-up` and `prod-up` have `up`.
fn with_part(word: &str) -> Vec<String> {
    let command = command();
    let names = command.get_subcommands().map(Command::get_name);
    names.filter(|name| name.split('-').any(|part| part == word)).map(str::to_owned).collect()
}

/// The command line's definition with its help grouped by what a person wants to do.
pub fn command() -> Command {
    let command = Cli::command();
    let tasks = grouped(&command);
    command
        .help_template(format!("{{about}}\n\n{{usage-heading}} {{usage}}\n\n{tasks}\n{{options}}\n\n{EXIT_CODES}\n"))
        .override_usage("cargo xtask [OPTIONS] <TASK> [<TASK>…]")
        .subcommand_value_name("TASK")
        .disable_help_flag(true)
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::HelpShort).global(true).help("Print help"))
}

fn grouped(command: &Command) -> String {
    let width = command.get_subcommands().map(|task| task.get_name().len()).max().unwrap_or(0);
    let line = |name: &&str| {
        let about = command.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string).unwrap_or_default();
        format!("  {name:<width$}  {about}\n")
    };
    let group = |(heading, names): &(&str, &[&str])| format!("{heading}:\n{}", names.iter().map(line).collect::<String>());
    GROUPS.iter().map(group).collect::<Vec<_>>().join("\n")
}

/// Splits where a task's name begins another task. A word after an option that takes a value, or after `--`, is no task; nor is
/// one that the task before it knows by itself, as a subcommand or as a value of its own.
fn split(command: &Command, argv: Vec<OsString>) -> Vec<Vec<OsString>> {
    let mut words = argv.into_iter();
    let program = words.next().unwrap_or_default();
    let mut segments = vec![vec![program.clone()]];
    let mut task: Option<&Command> = None;
    let (mut value_follows, mut literal) = (false, false);
    for word in words {
        let text = word.to_str().unwrap_or_default().to_owned();
        let known = task.is_some_and(|task| knows(task, &text));
        let named = command.find_subcommand(&text).filter(|_| !value_follows && !literal && !known && !text.starts_with('-'));
        if named.is_some() && task.is_some() {
            segments.push(vec![program.clone()]);
        }
        task = named.or(task);
        literal |= text == "--";
        value_follows = !value_follows && !literal && takes_value(command, task, &text);
        if let Some(segment) = segments.last_mut() {
            segment.push(word);
        }
    }
    segments
}

/// Whether a task takes this word for one of the values it lists, as `bench` takes `smoke`.
fn knows(task: &Command, word: &str) -> bool {
    task.get_positionals().flat_map(Arg::get_possible_values).any(|value| value.matches(word, false))
}

/// Whether the word after this one is its value.
fn takes_value(command: &Command, task: Option<&Command>, word: &str) -> bool {
    let args = || command.get_arguments().chain(task.into_iter().flat_map(Command::get_arguments));
    let takes = |arg: &Arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    if let Some(long) = word.strip_prefix("--") {
        return args().any(|arg| arg.get_long() == Some(long) && takes(arg));
    }
    let Some(shorts) = word.strip_prefix('-') else { return false };
    // In `-vC` the last letter may take the next word; in `-Cdir` the rest of the word is the value.
    let value_taking = |letter: char| args().any(|arg| arg.get_short() == Some(letter) && takes(arg));
    shorts.chars().position(value_taking).is_some_and(|at| at + 1 == shorts.chars().count())
}

/// The options of all tasks of a command line: one that is given anywhere holds everywhere.
fn merge<'a>(all: impl Iterator<Item = &'a Global>) -> Global {
    all.fold(Global::default(), |sum, one| Global {
        directory: one.directory.clone().or(sum.directory),
        files: [sum.files, one.files.clone()].concat(),
        environment: one.environment.or(sum.environment),
        env_file: [sum.env_file, one.env_file.clone()].concat(),
        profiles: [sum.profiles, one.profiles.clone()].concat(),
        format: one.format.or(sum.format),
        color: one.color.or(sum.color),
        verbose: one.verbose.max(sum.verbose),
        quiet: one.quiet || sum.quiet,
        dry_run: one.dry_run || sum.dry_run,
        provision: one.provision || sum.provision,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(line: &str) -> Vec<String> {
        let argv = std::iter::once("x").chain(line.split(' ')).map(OsString::from).collect();
        let join = |segment: &Vec<OsString>| segment.iter().skip(1).filter_map(|w| w.to_str()).collect::<Vec<_>>().join(" ");
        split(&command(), argv).iter().map(join).collect()
    }

    #[test]
    fn help_begins_with_what_the_program_is() {
        let help = command().render_help().to_string();
        assert_eq!(help.lines().next(), Some("The production Makefile of a Dockerised application, typed"));
    }

    #[test]
    fn a_wrong_command_line_is_an_error_like_any_other() {
        let told = |line: &str| {
            let argv: Vec<OsString> = std::iter::once("x").chain(line.split(' ')).map(OsString::from).collect();
            assert!(wants_json(&argv), "{line}");
            let error = told(&parse(argv).expect_err("wrong"));
            (error.message, error.help.unwrap_or_default())
        };
        let (message, help) = told("--format json smok");
        assert_eq!(message, "unrecognized subcommand 'smok'");
        assert!(help.contains("'smoke'"), "{help}");
        assert_eq!(told("smoke --format=json --nope").0, "unexpected argument '--nope' found");
        let (message, help) = told("smoke --format json --deadline x");
        assert!(message.starts_with("invalid value 'x' for '--deadline <TIME>': `x` is not a length of time"), "{message}");
        assert_eq!(help, "`--help` tells what there is");
        assert!(!wants_json(&["x".into(), "smoke".into()]));
    }

    #[test]
    fn tasks_are_split_where_the_next_begins() {
        for (line, expected) in [
            ("smoke", &["smoke"][..]),
            ("dev-build dev-up", &["dev-build", "dev-up"]),
            ("-v prod-build web --no-cache prod-up --dry-run", &["-v prod-build web --no-cache", "prod-up --dry-run"]),
            ("-C smoke images", &["-C smoke images"]),
            ("-vC smoke images", &["-vC smoke images"]),
            ("-Csmoke images doctor", &["-Csmoke images", "doctor"]),
            ("prod-build --tag smoke", &["prod-build --tag smoke"]),
            ("prod-logs -- smoke", &["prod-logs -- smoke"]),
            ("secrets init", &["secrets init"]),
            ("bench start smoke", &["bench start smoke"]),
            ("test smoke", &["test", "smoke"]),
        ] {
            assert_eq!(segments(line), expected, "{line}");
        }
    }

    #[test]
    fn an_option_given_to_one_task_holds_for_all() {
        let argv = ["x", "xtask", "dev-build", "-f", "a", "dev-up", "--dry-run", "-f", "b"].map(OsString::from).to_vec();
        let parsed = parse(argv).expect("right");
        assert_eq!(parsed.len(), 2);
        assert!(parsed.iter().all(|cli| cli.global.dry_run && cli.global.files == ["a", "b"]));
    }

    #[test]
    fn every_task_stands_under_exactly_one_heading() {
        let command = command();
        let mut grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let mut tasks: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
        grouped.sort_unstable();
        tasks.sort_unstable();
        assert_eq!(grouped, tasks);
    }

    #[test]
    fn a_mistyped_task_is_answered_with_the_nearest() {
        let error = parse(["x", "smkoe"].map(OsString::from).to_vec()).expect_err("no such task").to_string();
        assert!(error.contains("'smoke'"), "{error}");
        let error = parse(["x", "smoke", "--kep"].map(OsString::from).to_vec()).expect_err("no such option").to_string();
        assert!(error.contains("'--keep'"), "{error}");
    }

    #[test]
    fn of_several_near_tasks_the_nearest_stands_first() {
        let error = parse(["x", "dev-bild"].map(OsString::from).to_vec()).expect_err("no such task").to_string();
        let tip = error.lines().find(|line| line.contains("tip:")).expect("a tip");
        let names: Vec<&str> = tip.split('\'').skip(1).step_by(2).collect();
        assert_eq!((names[0], names.len()), ("dev-build", 3), "{error}");
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn a_format_that_cannot_hold_the_answer_is_refused() {
        let why = |line: &str| parse(line.split(' ').map(OsString::from).collect()).err().map(|error| error.to_string());
        for line in [
            "x smoke --format junit",
            "x smoke --format markdown",
            "x ci --format markdown",
            "x size --format json",
            "x size smoke --format text",
        ] {
            assert_eq!(why(line), None, "{line}");
        }
        for line in [
            "x size --format junit",
            "x ci --format junit",
            "x smoke --clean --format junit",
            "x smoke --dry-run --format markdown",
            "x ci --dry-run --format markdown",
        ] {
            assert!(why(line).is_some_and(|why| why.contains("is for the verdict")), "{line}");
        }
        assert!(why("x size smoke --format junit").is_some_and(|why| why.contains("one document")));
    }
}
