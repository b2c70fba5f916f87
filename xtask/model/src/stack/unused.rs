//! Compose leaves secrets out of the resolved project that no service uses. Some of them others are made from, such as the
//! password behind a hash, so a service that is never started uses them all while compose looks.

use serde_json::{Value, json};

use super::source::{Sources, steps};

/// The service that uses them.
const HOLDER: &str = "xtask-holds-secrets";

/// A compose file, to be layered over the others, whose one service uses every secret; none where there are no secrets.
pub fn overlay(sources: &Sources) -> Option<String> {
    let names = sources.keys(&steps(["secrets"]));
    let holder = json!({"image": "scratch", "network_mode": "none", "secrets": names});
    (!names.is_empty()).then(|| json!({"services": {HOLDER: holder}}).to_string())
}

/// Takes the service out of the resolved project again.
pub fn without_holder(resolved: &mut Value) {
    if let Some(services) = resolved.get_mut("services").and_then(Value::as_object_mut) {
        services.remove(HOLDER);
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;
    use crate::stack::source::Source;

    #[test]
    fn every_secret_is_used_while_compose_looks() {
        let source = |text| Source::parse(Utf8Path::new("c.yaml"), text);
        let sources = Sources(vec![source("secrets:\n  a: {file: a}\n"), source("secrets: {b: {file: b}, a: {file: c}}")]);
        let overlay: Value = serde_json::from_str(&overlay(&sources).expect("secrets")).expect("JSON");
        assert_eq!(overlay["services"][HOLDER]["secrets"], json!(["a", "b"]));
        let mut resolved = overlay;
        without_holder(&mut resolved);
        assert_eq!(resolved, json!({"services": {}}));
        assert_eq!(super::overlay(&Sources(vec![source("services: {}")])), None);
    }
}
