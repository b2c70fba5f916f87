//! Environment files: what an example says, and the file that is made from it. Comments and sections are kept as they are. Pure;
//! what values mean is for compose to read.

use std::collections::BTreeMap;

/// What follows a variable whose value does not belong here.
const LEFT_OUT: &str = "is a secret: its value belongs in a file of its own, never here.";

/// The section of variables that the example does not have.
const SECTION: &str = "# ---- Required by the compose files ----";

/// Words in the names of variables that hold a secret.
const SECRET_WORDS: &[&str] = &["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS", "APIKEY"];

/// Pairs of words that do.
const SECRET_PAIRS: &[(&str, &str)] =
    &[("API", "KEY"), ("PRIVATE", "KEY"), ("ENCRYPTION", "KEY"), ("SECRET", "KEY"), ("ACCESS", "KEY")];

/// The last words of variables that say something about a secret.
const ABOUT: &[&str] =
    &["FILE", "PATH", "TTL", "LENGTH", "EXPIRY", "EXPIRES", "LIFETIME", "URL", "ALGORITHM", "ID", "NAME", "ENABLED"];

/// A line that gives a variable a value, or would without the `#` before it.
struct Assignment<'a> {
    name: &'a str,
    value: &'a str,
    active: bool,
}

/// The variables that a file gives a value, with that value as it is written.
pub fn defined(text: &str) -> BTreeMap<&str, &str> {
    let assignments = text.lines().filter_map(assignment).filter(|one| one.active);
    assignments.map(|one| (one.name, one.value)).collect()
}

/// The file that is made from an example: `values` take the place of the example's, and those that it does not have follow at its
/// end. Variables that `is_secret` lose their value.
pub fn filled(example: &str, values: &BTreeMap<String, String>, is_secret: &dyn Fn(&str) -> bool) -> String {
    let active: Vec<&str> = defined(example).into_keys().collect();
    let mut placed = Vec::new();
    let mut text = String::new();
    for line in example.lines() {
        match assignment(line) {
            Some(one) if is_secret(one.name) => text += &format!("# {} {LEFT_OUT}", one.name),
            // A line that is commented out stands for the variable only where no other line does.
            Some(one) if values.contains_key(one.name) && (one.active || !active.contains(&one.name)) => {
                if !placed.contains(&one.name) {
                    text += &format!("{}={}", one.name, quoted(&values[one.name]));
                    placed.push(one.name);
                }
            }
            _ => text += line,
        }
        text.push('\n');
    }
    let mut rest = values.iter().filter(|(name, _)| !placed.contains(&name.as_str())).peekable();
    if rest.peek().is_some() {
        text += &format!("\n{SECTION}\n");
    }
    rest.for_each(|(name, value)| text += &format!("{name}={}\n", quoted(value)));
    text
}

/// Whether a variable's name says that it holds a secret.
pub fn names_a_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let words: Vec<&str> = upper.split('_').filter(|word| !word.is_empty()).collect();
    let about = words.last().is_some_and(|last| ABOUT.contains(last));
    let holds = words.iter().any(|word| SECRET_WORDS.contains(word))
        || words.windows(2).any(|pair| SECRET_PAIRS.contains(&(pair[0], pair[1])));
    holds && !about
}

fn assignment(line: &str) -> Option<Assignment<'_>> {
    let trimmed = line.trim_start();
    let (active, rest) = match trimmed.strip_prefix('#') {
        // Behind `# ` stands a sentence, not a value.
        Some(rest) if rest.starts_with(char::is_whitespace) => return None,
        Some(rest) => (false, rest),
        None => (true, trimmed.strip_prefix("export ").unwrap_or(trimmed)),
    };
    let (name, value) = rest.split_once('=')?;
    let name = name.trim_end();
    let first = name.chars().next()?;
    let is_name = !first.is_ascii_digit() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| Assignment { name, value: value.trim(), active })
}

/// A value as compose reads it back: bare where nothing in it means anything, else quoted.
fn quoted(value: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-./:@,+%=*".contains(c);
    if value.chars().all(bare) {
        return value.to_owned();
    }
    if !value.contains('\'') {
        return format!("'{value}'");
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "# ---- Database ----\nDB_USER=app\n# the name\nDB_NAME=\nDB_PASSWORD=changeme\n#DB_PORT=5432\n\n# ---- Log ----\n#LEVEL=info\n# NOTE: a=b is no value\n";

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn sections_are_kept_and_values_filled_in() {
        let values = values(&[("DB_NAME", "my app"), ("LEVEL", "debug"), ("REGION", "eu-1")]);
        assert_eq!(
            filled(EXAMPLE, &values, &names_a_secret),
            "# ---- Database ----\nDB_USER=app\n# the name\nDB_NAME='my app'\n\
             # DB_PASSWORD is a secret: its value belongs in a file of its own, never here.\n#DB_PORT=5432\n\n\
             # ---- Log ----\nLEVEL=debug\n# NOTE: a=b is no value\n\n\
             # ---- Required by the compose files ----\nREGION=eu-1\n"
        );
        assert_eq!(defined(EXAMPLE), BTreeMap::from([("DB_NAME", ""), ("DB_PASSWORD", "changeme"), ("DB_USER", "app")]));
    }

    #[test]
    fn nothing_to_fill_in_changes_nothing() {
        assert_eq!(filled("A=1\n#B=2\n", &BTreeMap::new(), &names_a_secret), "A=1\n#B=2\n");
    }

    #[test]
    fn names_tell_what_holds_a_secret_and_what_is_about_one() {
        for name in ["DB_PASSWORD", "JWT_SECRET", "GITHUB_TOKEN", "MAIL_API_KEY", "secret_key_base", "APIKEY"] {
            assert!(names_a_secret(name), "{name}");
        }
        for name in ["DB_PASSWORD_FILE", "TOKEN_TTL", "KEYBOARD", "MONKEY", "SECRETARY", "KEY_PREFIX", "DB_USER", "TOKEN_URL"] {
            assert!(!names_a_secret(name), "{name}");
        }
    }

    #[test]
    fn values_are_quoted_as_compose_reads_them() {
        let told = ["plain-1.2:3", "a b", "it's $5", "#x", ""].map(quoted);
        assert_eq!(told, ["plain-1.2:3", "'a b'", "\"it's \\$5\"", "'#x'", ""]);
    }
}
