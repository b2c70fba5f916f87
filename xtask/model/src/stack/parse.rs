//! From the text that `docker compose config` prints to a [`Stack`].

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::certs::gather;
use super::extension::{dotted, placed, read};
use super::inherit::inherit;
use super::model::{Network, Secret, Service, Stack};
use super::probe::check_probes;
use super::secret::check_secrets;
use super::source::{Sources, steps};
use super::suite::check_suites;
use super::typed::typed;
use super::unused::without_holder;
use super::work::check_work;
use super::yaml;
use crate::error::{Error, Place, Result, none_of};

/// Reads the resolved project.
///
/// # Errors
/// Every problem of every `x-xtask`, with its place; a project that is not what compose prints.
pub fn parse(resolved: &str, sources: Sources) -> Result<Stack> {
    let mut raw = yaml::json(resolved)
        .map_err(|broken| Error::cannot(format!("cannot read line {} of the resolved project: {}", broken.line, broken.why)))?;
    without_holder(&mut raw);
    let mut errors = Vec::new();
    inherit(&mut raw, &sources, &mut errors);
    let mut stack = Stack {
        name: raw["name"].as_str().unwrap_or("default").to_owned(),
        services: section::<Service>(&raw, "services", &sources, &mut errors),
        networks: section::<Network>(&raw, "networks", &sources, &mut errors),
        secrets: section::<Secret>(&raw, "secrets", &sources, &mut errors),
        extension: read(&raw, &[], &sources, &mut errors),
        raw: Value::Null,
        sources,
    };
    for (name, service) in &mut stack.services {
        let at = steps(["services", name]);
        service.extension = read(&raw["services"][name], &at, &stack.sources, &mut errors);
        check_probes(name, &service.extension.probes, &stack.sources, &mut errors);
    }
    for (name, secret) in &mut stack.secrets {
        secret.extension = read(&raw["secrets"][name], &steps(["secrets", name]), &stack.sources, &mut errors);
    }
    check_secrets(&stack, &mut errors);
    check_work(&stack, &mut errors);
    check_optional(&stack, &mut errors);
    gather(&mut stack, &mut errors);
    check_suites(&stack.extension.tests, &stack.sources, &mut errors);
    none_of(errors)?;
    stack.raw = raw;
    Ok(stack)
}

/// Refuses needs on what the stack may have to do without.
fn check_optional(stack: &Stack, errors: &mut Vec<Error>) {
    for (name, service) in &stack.services {
        let needs = service.depends_on.iter().filter(|(_, need)| need.required).map(|(other, _)| other);
        let optional = |other: &&String| stack.services.get(*other).is_some_and(|other| other.extension.optional);
        for other in needs.filter(optional) {
            let error = Error::cannot(format!("`{name}` depends on `{other}`, which is optional"))
                .help(format!("give the need `required: false`, or take `optional` from `{other}`"));
            errors.push(placed(error, &steps(["services", name, "depends_on"]), &stack.sources));
        }
    }
}

/// The services named, and all that they need; every service if none is named.
///
/// # Errors
/// A name that is no service, with the nearest one.
pub fn select(stack: &Stack, named: &[String]) -> Result<BTreeSet<String>> {
    let unknown: Vec<Error> =
        named.iter().filter(|name| !stack.services.contains_key(*name)).map(|name| no_service(stack, name)).collect();
    none_of(unknown)?;
    if named.is_empty() {
        return Ok(stack.services.keys().cloned().collect());
    }
    let mut selected = BTreeSet::new();
    let mut open: Vec<&String> = named.iter().collect();
    while let Some(name) = open.pop() {
        if selected.insert(name.clone()) {
            open.extend(stack.services[name].depends_on.keys().filter(|name| stack.services.contains_key(*name)));
        }
    }
    Ok(selected)
}

/// [`select`] for what only makes sense with a service.
///
/// # Errors
/// What [`select`] says, and a stack of which no service is on.
pub fn select_some(stack: &Stack, named: &[String]) -> Result<BTreeSet<String>> {
    let selected = select(stack, named)?;
    if selected.is_empty() {
        let error = Error::cannot("no service is on: the compose files have none, or all of them belong to profiles");
        return Err(error.help("`--profile NAME` puts those of a profile on"));
    }
    Ok(selected)
}

fn no_service(stack: &Stack, name: &str) -> Error {
    if let Some(off) = off(stack, name) {
        return off;
    }
    let error = Error::cannot(format!("no service is called `{name}`"));
    match super::extension::nearest(name, stack.services.keys().map(String::as_str)) {
        Some(nearest) => error.help(format!("did you mean `{nearest}`?")),
        None => {
            let names: Vec<_> = stack.services.keys().map(|name| format!("`{name}`")).collect();
            error.help(format!("the services are {}", names.join(", ")))
        }
    }
}

/// Of a service that the files have and the resolved project has not: which profiles put it on.
fn off(stack: &Stack, name: &str) -> Option<Error> {
    let at = steps(["services", name, "profiles"]);
    let profiles = stack.sources.value_or_included(&at)?;
    let names = profiles.as_array()?.iter().filter_map(|one| Some(format!("`{}`", one.as_str()?)));
    let names = names.collect::<Vec<_>>().join(" or ");
    let error = Error::cannot(format!("the service `{name}` is off: it is only in the profile {names}"));
    Some(placed(error.help("put it on with `--profile NAME`"), &at, &stack.sources))
}

fn section<T: DeserializeOwned>(raw: &Value, key: &str, sources: &Sources, errors: &mut Vec<Error>) -> BTreeMap<String, T> {
    let mut found = BTreeMap::new();
    for (name, value) in raw[key].as_object().into_iter().flatten() {
        let value = if value.is_null() { Value::Object(serde_json::Map::new()) } else { value.clone() };
        match typed(value) {
            Ok(typed) => {
                found.insert(name.clone(), typed);
            }
            Err(wrong) => {
                let at = [steps([key, name]), wrong.at].concat();
                let place = sources.find(&at).or_else(|| sources.0.first().map(|source| Place::file(source.path.clone())));
                let mut told = Error::cannot(format!("`{}`: {}", dotted(&at), wrong.message));
                told.place = place;
                errors.push(told);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::model::Condition;

    fn stack(resolved: &str) -> Stack {
        parse(resolved, Sources::default()).expect("a right project")
    }

    const RESOLVED: &str = "
name: shop
services:
  my-web:
    image: web:1
    build: {context: /p, dockerfile: Dockerfile, args: {A: '1', B: }}
    ports: [{mode: ingress, target: 80, published: '8080', host_ip: 127.0.0.1, protocol: tcp}]
    depends_on: {data base: {condition: service_healthy, required: true}, job: {condition: service_completed_successfully}}
    secrets: [{source: key, target: /run/secrets/key}]
    x-unknown: {kept: true}
    future_key: [1, 2]
    x-xtask: {size: 20MB, probes: [{http: /}]}
  data base: {healthcheck: {test: [CMD, true], interval: 10s, retries: 5}}
  job: {image: job, restart: 'no', networks: null, profiles: [batch]}
networks: {default: {name: shop_default}, out: {external: true}}
secrets: {key: {name: shop_key, file: /p/key.txt, x-xtask: {generate: hex}}}
x-xtask: {smoke: {deadline: 2m, memory: 2GB}}
";

    #[test]
    fn a_resolved_project_becomes_types_and_keeps_the_rest() {
        let stack = stack(RESOLVED);
        let web = &stack.services["my-web"];
        assert_eq!(web.ports[0].target, 80);
        assert_eq!(web.depends_on["job"].condition, Condition::Completed);
        assert!(web.depends_on["job"].required);
        assert_eq!(web.extension.size.map(|size| size.0), Some(20_000_000));
        assert!(stack.has_profile("batch") && !stack.has_profile("job"));
        assert_eq!(web.build.as_ref().expect("built").args["B"], None);
        assert!(stack.networks["out"].external && !stack.networks["default"].external);
        assert_eq!(stack.raw["services"]["my-web"]["future_key"][1], 2);
        assert_eq!((stack.image_of("my-web"), stack.image_of("data base")), ("web:1".into(), "shop-data base".into()));
        assert_eq!(stack.extension.smoke.memory.map(|size| size.0), Some(2_000_000_000));
    }

    #[test]
    fn selecting_a_service_selects_what_it_needs() {
        let stack = stack(RESOLVED);
        let all = select(&stack, &[]).expect("all");
        assert_eq!(select(&stack, &["my-web".into()]).expect("known"), all);
        assert_eq!(select(&stack, &["job".into()]).expect("known").len(), 1);
        let error = select(&stack, &["my-wep".into(), "zzz".into()]).expect_err("unknown");
        assert_eq!(error.help.as_deref(), Some("did you mean `my-web`?"));
        assert_eq!(error.also.len(), 1);
    }

    #[test]
    fn what_compose_would_not_print_is_an_error_not_a_panic() {
        for text in ["", "[", "services: 3", "services: {a: 3}", "services: {a: {ports: [{target: 99999}]}}", "name: [1]"] {
            let _either = parse(text, Sources::default());
        }
        parse("services: {a: {ports: [{target: 99999}]}}", Sources::default()).expect_err("no such port");
    }

    #[test]
    fn what_others_need_is_not_optional() {
        let yaml = |required: bool| {
            format!(
                "services:\n  a:\n    image: x\n    depends_on: {{b: {{condition: service_started, required: {required}}}}}\n  b: {{image: store, x-xtask: {{optional: true}}}}\n"
            )
        };
        assert!(stack(&yaml(false)).services["b"].extension.optional);
        let error = parse(&yaml(true), Sources::default()).expect_err("a wrong project");
        assert_eq!(error.message, "`a` depends on `b`, which is optional");
        let mut named = stack(&yaml(false));
        named.insist(&["a".to_owned(), "b".to_owned()]);
        assert!(!named.services["b"].extension.optional, "what is named is wanted");
    }
}
