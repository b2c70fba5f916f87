//! Getting images that are not there: from their registries, or, with `--provision` where none answers, as stand-ins.

use std::collections::BTreeMap;

use super::needs::Need;
use super::{make, pull};
use crate::context::Context;
use crate::docker::pull::Refusal;
use crate::docker::stand_in::{self, Family};
use crate::error::{Error, Result, none_of};
use crate::stack::ImageRef;

use pull::Refused;

/// Gets every image, or says of all that cannot be had why not. Those that the stack does without are only told.
pub fn fetch(ctx: &Context, missing: &[&Need]) -> Result<()> {
    let images: Vec<&ImageRef> = missing.iter().map(|need| &need.image).collect();
    let outcomes = pull::all(ctx, &images)?;
    let refused: Vec<(&Need, &Refused)> =
        missing.iter().zip(&outcomes).filter_map(|(need, refused)| Some((*need, refused.as_ref()?))).collect();
    let (silent, other): (Vec<_>, Vec<_>) = refused.into_iter().partition(|(_, refused)| refused.why == Refusal::Silent);
    let mut errors: Vec<Error> = other.into_iter().map(|(need, refused)| not_pulled(need, refused)).collect();
    let families = stand_in::families().map_err(Error::cannot)?;
    let (spared, silent): (Vec<_>, Vec<_>) = silent.into_iter().partition(|(need, _)| is_spared(need, &families));
    spared.into_iter().for_each(|(need, _)| ctx.ui.warn(done_without(need)));
    if silent.is_empty() || !ctx.global.provision {
        errors.extend(nobody_answers(&silent));
        return none_of(errors);
    }
    let requests: Vec<(&Family, &ImageRef)> =
        silent.iter().filter_map(|(need, _)| Some((stand_in::family(&families, &need.image)?, &need.image))).collect();
    let without = silent.iter().filter(|(need, _)| stand_in::family(&families, &need.image).is_none());
    errors.extend(without.map(|(need, refused)| no_family(need, refused, &families)));
    none_of(errors)?;
    announce(ctx, &requests, &silent);
    make::stand_ins(ctx, &requests)
}

/// Whether the stack does without an image that its registry does not send: nothing can stand in for it either.
fn is_spared(need: &Need, families: &[Family]) -> bool {
    need.optional && stand_in::family(families, &need.image).is_none()
}

fn done_without(need: &Need) -> String {
    let (image, registry, services) = (&need.image, &need.image.registry, need.by.join("`, `"));
    format!("no answer from {registry} and nothing can stand in for `{image}`: the stack does without `{services}`")
}

/// Says what will be made, before it is.
fn announce(ctx: &Context, requests: &[(&Family, &ImageRef)], silent: &[(&Need, &Refused)]) {
    ctx.ui.step("stand-in", format!("no answer from {}: made from distribution packages instead", registries(silent)));
    for (family, image) in requests {
        let tag = image.tag.as_deref().unwrap_or_default();
        if differs(tag, &family.series) {
            ctx.ui.warn(format!("`{image}` asks for {tag}, its stand-in carries {} {}", family.package, family.series));
        }
    }
}

/// Whether the numbers that a tag begins with are others than those of a series: `16.2-bookworm` and `17` are, `17.2` and `17`
/// are not. A tag without a number asks for nothing in particular.
fn differs(tag: &str, series: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        text[..end].split('.').map_while(|number| number.parse().ok()).collect()
    };
    numbers(tag).iter().zip(&numbers(series)).any(|(a, b)| a != b)
}

fn registries(silent: &[(&Need, &Refused)]) -> String {
    let names: BTreeMap<&str, ()> = silent.iter().map(|(need, _)| (need.image.registry.as_str(), ())).collect();
    names.into_keys().collect::<Vec<_>>().join(", ")
}

/// The one error for all images that no registry sends; none if there are none.
fn nobody_answers(silent: &[(&Need, &Refused)]) -> Option<Error> {
    let images: Vec<String> = silent.iter().map(|(need, _)| format!("`{}`", need.image)).collect();
    let (first, _) = silent.first()?;
    let verb = if images.len() == 1 { "is" } else { "are" };
    let error = Error::cannot(format!("{} {verb} missing and no answer comes from {}", images.join(", "), registries(silent)))
        .help(
            "let the engine reach the registry (`cargo xtask doctor` tells more), or add `--provision` to have stand-ins made \
             from distribution packages",
        );
    let mut said = BTreeMap::new();
    for (need, refused) in silent {
        said.entry(need.image.registry.as_str()).or_insert(&refused.said);
    }
    let error = said.into_iter().fold(error, |error, (registry, said)| error.evidence(asked_for(registry), said.iter().cloned()));
    Some(match &first.place {
        Some(place) => error.at(place.clone()),
        None => error,
    })
}

/// The error of an image whose registry answers, and does not send it.
fn not_pulled(need: &Need, refused: &Refused) -> Error {
    let (image, registry) = (&need.image, &need.image.registry);
    let (message, help) = match refused.why {
        Refusal::NoSuchImage => (
            format!("`{registry}` has no image `{image}`, or does not give it to this user"),
            format!("correct the name, or `docker login {registry}`"),
        ),
        Refusal::Limited => {
            (format!("`{registry}` limits how much is pulled"), format!("wait, or `docker login {registry}` for a higher limit"))
        }
        Refusal::DiskFull => (
            format!("no room for `{image}`"),
            "`docker system df` shows what takes the room, `docker image prune` frees some".to_owned(),
        ),
        _ => (format!("cannot pull `{image}`"), "`cargo xtask doctor` tells what is wrong with this machine".to_owned()),
    };
    placed(Error::cannot(message).help(help).evidence(asked_for(registry), refused.said.iter().cloned()), need)
}

/// The error of an image that nothing can stand in for.
fn no_family(need: &Need, refused: &Refused, families: &[Family]) -> Error {
    let known: Vec<&str> = families.iter().flat_map(|family| family.repositories.iter().map(String::as_str)).collect();
    let why = if need.image.digest.is_some() { " (a digest names one exact image)" } else { "" };
    let error = Error::cannot(format!("`{}` is missing and nothing can stand in for it{why}", need.image))
        .evidence(asked_for(&need.image.registry), refused.said.iter().cloned())
        .help(format!("let the engine reach the registry, or `docker load` the image; stand-ins exist for {}", known.join(", ")));
    placed(error, need)
}

fn asked_for(registry: &str) -> String {
    format!("the engine says of {registry}")
}

fn placed(error: Error, need: &Need) -> Error {
    match &need.place {
        Some(place) => error.at(place.clone()),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_differs_from_a_series_where_their_numbers_do() {
        for (tag, series, expected) in [
            ("16.2-bookworm", "17", true),
            ("17.2-bookworm", "17", false),
            ("17", "17.6", false),
            ("20.19.2-bookworm-slim", "20.19", false),
            ("22-slim", "20.19", true),
            ("latest", "17", false),
            ("bookworm", "13", false),
        ] {
            assert_eq!(differs(tag, series), expected, "{tag} {series}");
        }
    }

    fn need(image: &str) -> Need {
        Need { image: image.parse().expect("a reference"), by: vec!["web".into()], place: None, optional: false }
    }

    #[test]
    fn one_error_names_all_images_that_no_registry_sends_and_both_remedies() {
        let refused = Refused { why: Refusal::Silent, said: vec!["no such host".into()] };
        let (one, two, three) = (need("a:1"), need("b:1"), need("r.example/c:1"));
        let error = nobody_answers(&[(&one, &refused), (&two, &refused), (&three, &refused)]).expect("an error");
        assert_eq!(error.message, "`a:1`, `b:1`, `r.example/c:1` are missing and no answer comes from docker.io, r.example");
        assert_eq!(error.evidence.len(), 2);
        let help = error.help.expect("a remedy");
        assert!(help.contains("doctor") && help.contains("--provision"), "{help}");
        assert!(nobody_answers(&[]).is_none());
    }

    #[test]
    fn only_what_is_optional_and_nothing_can_stand_in_for_is_done_without() {
        let families = stand_in::families().expect("the file is sound");
        let known = format!("{}:1", families[0].repositories[0]);
        for (image, optional, expected) in
            [("r.example/x:1", true, true), ("r.example/x:1", false, false), (known.as_str(), true, false)]
        {
            assert_eq!(is_spared(&Need { optional, ..need(image) }, &families), expected, "{image} {optional}");
        }
        let told = done_without(&need("r.example/x:1"));
        assert!(told.contains("`r.example/x:1`") && told.ends_with("the stack does without `web`"), "{told}");
    }

    #[test]
    fn what_nothing_can_stand_in_for_is_told_with_what_there_is() {
        let refused = Refused { why: Refusal::Silent, said: vec!["no such host".into()] };
        let families = stand_in::families().expect("the file is sound");
        let error = no_family(&need("r.example/x:1"), &refused, &families);
        assert_eq!(error.message, "`r.example/x:1` is missing and nothing can stand in for it");
        assert!(error.help.expect("a remedy").contains(&families[0].repositories[0]));
        let exact = need(&format!("{}@sha256:{}", families[0].repositories[0], "a".repeat(64)));
        assert!(no_family(&exact, &refused, &families).message.contains("one exact image"));
    }
}
