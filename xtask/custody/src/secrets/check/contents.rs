//! Values by themselves: there, real, as declared, hard to guess, each used once. Pure.

use super::Kept;
use crate::report::finding::Finding;
use crate::secret::judge;

/// What is wrong with these values.
pub fn look(kept: &[Kept]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = kept.iter().flat_map(one).collect();
    for (index, later) in kept.iter().enumerate() {
        let same = kept[..index].iter().find(|earlier| earlier.value == later.value && !earlier.value.expose().is_empty());
        let again = "`cargo xtask secrets rotate` gives one of them a new value".to_owned();
        findings.extend(
            same.map(|earlier| {
                finding(later, "distinct", "a value of its own", format!("the value of `{}`", earlier.name), again)
            }),
        );
    }
    findings
}

fn one(kept: &Kept) -> Vec<Finding> {
    let (value, kind) = (&kept.value, kept.declared.kind(&kept.name));
    let anew =
        || format!("remove it, and `cargo xtask secrets init`; where it is in use, `cargo xtask secrets rotate {}`", kept.name);
    if value.expose().trim_ascii().is_empty() {
        return vec![finding(kept, "empty", "a value", "nothing".into(), anew())];
    }
    if judge::is_placeholder(value) {
        return vec![finding(kept, "placeholder", "a value of your own", "a placeholder".into(), anew())];
    }
    let mut findings = Vec::new();
    if let Some(what) = judge::surprise(kind, value) {
        let fix = "write it without: services that do not trim take it as part of the value".to_owned();
        findings.push(finding(kept, "line-end", "the value alone", format!("{what} around it"), fix));
    }
    match judge::misfit(&kept.declared, value) {
        Some((expected, actual)) => findings.push(finding(kept, "kind", &expected, actual, anew())),
        None if judge::bits(value) < judge::WEAK && !kind.is_derived() => {
            let expected = format!("at least {:.0} bits", judge::WEAK);
            findings.push(finding(kept, "entropy", &expected, format!("about {:.0} bits", judge::bits(value)), anew()));
        }
        None => {}
    }
    findings
}

fn finding(kept: &Kept, rule: &'static str, expected: &str, actual: String, fix: String) -> Finding {
    let subject = kept.name.clone();
    Finding { subject, rule, place: kept.place.clone(), expected: expected.to_owned(), actual, fix }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Value;
    use crate::stack::secret::{SecretExtension, SecretKind};

    fn kept(name: &str, generate: Option<SecretKind>, value: &str) -> Kept {
        let declared = SecretExtension { generate, ..SecretExtension::default() };
        Kept { name: name.to_owned(), declared, value: Value::new(value), place: None }
    }

    fn rules(kept: &[Kept]) -> Vec<String> {
        look(kept).into_iter().map(|finding| format!("{} {}", finding.subject, finding.rule)).collect()
    }

    #[test]
    fn each_rule_finds_what_it_is_for() {
        let strong = "0123456789abcdef".repeat(4);
        for (kind, value, rule) in [
            (None, "", "a empty"),
            (None, " \n", "a empty"),
            (None, "changeme", "a placeholder"),
            (None, "abcabc12", "a entropy"),
            (Some(SecretKind::Text), "sk-1234567890-abcdef\n", "a line-end"),
            (Some(SecretKind::Hex), "0123456789", "a kind"),
        ] {
            assert_eq!(rules(&[kept("a", kind, value)]), [rule], "{value:?}");
        }
        assert_eq!(rules(&[kept("a", Some(SecretKind::Hex), &strong)]), [] as [&str; 0]);
        assert_eq!(rules(&[kept("a", None, &strong), kept("b", None, &strong)]), ["b distinct"]);
    }
}
