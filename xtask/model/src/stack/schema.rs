//! The JSON Schema of `x-xtask` for editors, made of the types that read it. It is made by a test, so that the program does not
//! carry what makes it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::extension::{ProjectExtension, ServiceExtension};
use super::probe::{Kind, Metrics, Version};
use super::secret::SecretExtension;
use super::suite::Template;
use super::{Bytes, SCHEMA, Span};

/// What `x-xtask` says in a compose file. Whatever else such a file holds is not looked at here.
#[derive(JsonSchema)]
#[schemars(title = "x-xtask in compose files")]
#[expect(dead_code, reason = "only its shape matters")]
struct Compose {
    services: Option<BTreeMap<String, Option<Holder<ServiceExtension>>>>,
    secrets: Option<BTreeMap<String, Option<Holder<SecretExtension>>>>,
    #[schemars(default, rename = "x-xtask")]
    extension: ProjectExtension,
}

#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its shape matters")]
struct Holder<T: Default> {
    #[schemars(default, rename = "x-xtask")]
    extension: T,
}

/// The schema of a type that reads its own text.
macro_rules! written {
    ($type:ty, $name:literal, $schema:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

written!(
    Span,
    "Span",
    json_schema!({
        "description": "A length of time: `90s`, `1m30s`, `250ms`",
        "type": "string",
        "pattern": "^(0|([0-9.]+(us|µs|ms|ns|d|h|m|s))+)$",
    })
);
written!(
    Bytes,
    "Bytes",
    json_schema!({
        "description": "A number of bytes: `20MB`, `512MiB`; one letter, as in `512m`, is binary",
        "type": ["string", "integer"],
        "pattern": "^[0-9.]+ ?([bB]|[kKmMgGtT]([iI]?[bB])?)?$",
        "minimum": 0,
    })
);
written!(
    Version,
    "Version",
    json_schema!({
        "description": "A version of TLS",
        "enum": ["1.0", "1.1", "1.2", "1.3", 1.0, 1.1, 1.2, 1.3],
    })
);
written!(
    Template,
    "Template",
    json_schema!({
        "description": "A text in which `{SERVICE:PORT}`, `{SERVICE:PORT.host}`, `{SERVICE:PORT.port}` and `{secret:NAME}` are filled in",
        "type": "string",
    })
);

impl JsonSchema for Metrics {
    fn schema_name() -> Cow<'static, str> {
        "Metrics".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let typed = generator.subschema_for::<BTreeMap<String, Option<Kind>>>();
        json_schema!({
            "description": "Names of metrics, or names with the type that each must have",
            "anyOf": [{"type": "array", "items": {"type": "string"}}, typed],
        })
    }
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    // Draft 7 is what editors know.
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Compose>();
    let made = serde_json::to_string_pretty(&schema).expect("a schema") + "\n";
    if std::env::var_os("WRITE_SCHEMA").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.json"), &made).expect("written");
    } else {
        assert!(made == SCHEMA, "`WRITE_SCHEMA=1 cargo test --package xtask-model schema` writes it again");
    }
}
