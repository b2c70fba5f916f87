//! A stack's builds as bake is told of them: every field, names, merging, escaping.

use super::*;
use crate::stack::parse;
use crate::stack::source::Sources;

fn stack(services: &str) -> Stack {
    parse(&format!("name: shop\nservices:\n{services}"), Sources::default()).expect("a right project")
}

fn planned(services: &str, options: &Options) -> Plan {
    let stack = stack(services);
    plan(&stack, &stack.services.keys().cloned().collect(), options)
}

#[test]
fn every_field_of_a_build_section_reaches_bake() {
    let services = "
  web:
    image: reg.example/web:1
    build:
      context: /p/web
      dockerfile: ../docker/./Dockerfile
      target: production
      args: {A: '1', FROM_ENVIRONMENT: null, UNKNOWN: null, MONEY: '$$${x} %{y}'}
      additional_contexts: {shared: /p/shared}
      tags: ['web:extra']
      labels: {team: a}
      cache_from: ['type=local,src=/c']
      cache_to: [type=inline]
      platforms: [linux/amd64]
      secrets: [{source: token}, {source: key, target: id}]
      ssh: [default, 'k: /s']
      network: host
      no_cache: true
      pull: true
secrets: {token: {environment: TOKEN}, key: {file: '/p/a,b'}}
";
    let options = Options {
        environment: BTreeMap::from([("FROM_ENVIRONMENT".into(), "e".into())]),
        ca: Some("/etc/ca.crt".into()),
        epoch: Some("7".into()),
        tags: vec!["2".into()],
        labels: BTreeMap::from([("team".into(), "ours".into()), ("org.opencontainers.image.revision".into(), "r".into())]),
        ..Options::default()
    };
    let expected = json!({"target": {"web": {
        "context": "/p/web",
        "dockerfile": "/p/docker/Dockerfile",
        "target": "production",
        "args": {"A": "1", "FROM_ENVIRONMENT": "e", "MONEY": "$$${x} %%{y}", "SOURCE_DATE_EPOCH": "7"},
        "contexts": {"shared": "/p/shared"},
        "tags": ["reg.example/web:1", "web:extra", "reg.example/web:2"],
        "labels": {"org.opencontainers.image.revision": "r", "org.opencontainers.image.title": "web", "team": "a"},
        "platforms": ["linux/amd64"],
        "secret": ["id=token,env=TOKEN", "id=id,\"src=/p/a,b\"", "id=ca,src=/etc/ca.crt"],
        "ssh": ["default", "k=/s"],
        "cache-from": ["type=local,src=/c"],
        "cache-to": ["type=inline"],
        "network": "host",
        "no-cache": true,
        "pull": true,
    }}});
    assert_eq!(planned(services, &options).definition(), expected);
}

#[test]
fn options_win_over_the_stack() {
    let services = "  a: {build: {context: /a, platforms: [linux/amd64], args: {X: '1', Y: '1'}}}\n  b: {build: {context: /b}}\n";
    let options = Options {
        platforms: vec!["linux/arm64".into()],
        args: BTreeMap::from([
            (None, BTreeMap::from([("X".into(), "2".into())])),
            (Some("a".into()), BTreeMap::from([("Y".into(), "3".into())])),
        ]),
        cache_from: vec!["c".into()],
        no_cache: true,
        ..Options::default()
    };
    let definition = planned(services, &options).definition();
    let (a, b) = (&definition["target"]["a"], &definition["target"]["b"]);
    assert_eq!(a["args"], json!({"X": "2", "Y": "3"}));
    assert_eq!(b["args"], json!({"X": "2"}));
    assert_eq!((&a["platforms"], &a["cache-from"], &a["no-cache"]), (&json!(["linux/arm64"]), &json!(["c"]), &json!(true)));
}

#[test]
fn each_target_has_a_share_of_the_cache_of_github_actions() {
    let services = "  a: {build: {context: /a, target: x}}\n  b: {build: {context: /b}}\n";
    let definition = planned(services, &Options { actions_cache: true, ..Options::default() }).definition();
    assert_eq!(definition["target"]["a"]["cache-from"], json!(["type=gha,scope=shop-a-x"]));
    assert_eq!(definition["target"]["b"]["cache-to"], json!(["type=gha,scope=shop-b,mode=max,ignore-error=true"]));
}

#[test]
fn the_same_build_is_one_target_with_every_name() {
    let services = "
  api: {build: {context: /p, target: x}}
  job: {image: 'job:1', build: {context: /p, target: x}}
  other: {build: {context: /p, target: z}}
  redis: {image: redis}
";
    let plan = planned(services, &Options { tags: vec!["t".into()], ..Options::default() });
    let seen: Vec<_> = plan
        .targets
        .iter()
        .map(|(name, target)| (name.as_str(), target.services.keys().cloned().collect::<Vec<_>>().join("+")))
        .collect();
    assert_eq!(seen, [("api", "api+job".to_owned()), ("other", "other".to_owned())]);
    assert_eq!(plan.targets["api"].tags, ["shop-api", "shop-api:t", "job:1", "job:t"]);
    let command = "docker buildx bake --file - --load --progress rawjson api other";
    assert_eq!(plan.command().join(" "), command);
}

#[test]
fn target_names_are_what_bake_accepts_and_differ() {
    let services = "
  a.b: {build: {context: /1}}
  a_b: {build: {context: /2}}
  a_b-2: {build: {context: /3}}
  default: {build: {context: /4}}
";
    let plan = planned(services, &Options::default());
    assert_eq!(plan.targets.keys().collect::<Vec<_>>(), ["a_b", "a_b-2", "a_b-2-2", "default"]);
}

#[test]
fn an_image_taken_as_a_context_is_built_too_and_not_loaded() {
    let stack = stack(
        "  base.x: {build: {context: /b}}\n  web: {build: {context: /w, additional_contexts: {base: 'service:base.x'}}}\n  no: {build: {context: /n}}\n",
    );
    let plan = plan(&stack, &BTreeSet::from(["web".to_owned()]), &Options::default());
    assert_eq!(plan.targets.keys().collect::<Vec<_>>(), ["base_x", "web"]);
    assert_eq!(plan.targets["web"].contexts["base"], "target:base_x");
    assert_eq!(plan.wanted().collect::<Vec<_>>(), ["web"]);
}

#[test]
fn a_remote_context_keeps_its_dockerfile_relative() {
    for (context, remote) in
        [("https://x/y.git#main", true), ("git@x:y", true), ("github.com/x/y", true), ("/p/github.com/x", false)]
    {
        assert_eq!(is_remote(context), remote, "{context}");
    }
    let plan = planned("  a: {build: {context: 'https://x/y.git', dockerfile: d/Dockerfile}}\n", &Options::default());
    assert_eq!(plan.targets["a"].dockerfile.as_deref().expect("named"), "d/Dockerfile");
}

#[test]
fn a_dockerfile_in_the_compose_file_is_given_as_text() {
    let plan = planned("  a: {build: {context: /p, dockerfile_inline: 'FROM $${BASE}'}}\n", &Options::default());
    assert_eq!(plan.targets["a"].dockerfile, None);
    assert_eq!(plan.definition()["target"]["a"]["dockerfile-inline"], "FROM $${BASE}");
}

#[test]
fn a_secret_of_the_stack_called_ca_is_not_replaced() {
    let services = "  a: {build: {context: /p, secrets: [{source: ca}]}}\nsecrets: {ca: {file: /own}}\n";
    let plan = planned(services, &Options { ca: Some("/host".into()), ..Options::default() });
    assert_eq!(plan.definition()["target"]["a"]["secret"], json!(["id=ca,src=/own"]));
}
