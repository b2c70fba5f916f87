//! What the doctor tells of the project's own certificates: when the next one expires, and which is wrong.

use super::check::Check;
use crate::context::Context;
use crate::error::Result;
use crate::tasks::certs::{Judged, judge, next};
use crate::tasks::load::Loaded;

/// The check; none where the project has no certificate yet, or needs none.
pub fn check(ctx: &Context, loaded: &Loaded) -> Option<Check> {
    of(judge(ctx, loaded))
}

fn of(judged: Result<Vec<Judged>>) -> Option<Check> {
    const NAME: &str = "certificates";
    const MEANING: &str = "clients refuse a service whose certificate has expired or is wrong";
    const FIX: &str = "`cargo xtask certs check` tells more, `cargo xtask certs renew` renews what is due";
    let judged = match judged {
        Ok(judged) => judged,
        Err(error) => return Some(Check::unknown(NAME, error.message)),
    };
    let told: Vec<String> = judged.iter().flat_map(Judged::all).map(|one| format!("{}: {}", one.subject, one.actual)).collect();
    if !told.is_empty() {
        return Some(Check::warn(NAME, told.join(", "), MEANING, FIX));
    }
    let (secret, days) = next(&judged)?;
    Some(Check::ok(NAME, format!("the next to expire: {secret} in {days} days"), "services are known by them"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::tasks::doctor::check::Verdict;

    #[test]
    fn a_project_without_certificates_is_not_asked_for_them() {
        assert_eq!(of(Ok(Vec::new())), None);
        assert_eq!(of(Err(Error::cannot("x"))).expect("unknown").result, Verdict::Unknown);
    }
}
