//! What deliveries look like, for programs: a JSON Schema and an AsyncAPI document, made from the types of events.
//!
//! Both are in `docs/webhooks` and in step with the program: a test compares them.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use vigie_domain::{Event, TypeInfo};

use super::wire::TEST_TYPE;

/// A type of event, with the schema of its data and what it means.
struct Described {
    info: TypeInfo,
    data: Schema,
    meaning: String,
}

/// The JSON Schema (draft 2020-12) of the body of every delivery.
#[must_use]
pub fn json_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let types = described(&mut generator);
    let mut parts = generator.take_definitions(true);
    let reference = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
    // In lower case, as no type is named.
    parts.insert("delivery".to_owned(), delivery());
    parts.extend(types.iter().map(|of| (of.info.name.to_owned(), body(of, &reference("delivery")))));
    parts.insert(TEST_TYPE.to_owned(), test(&reference("delivery")));
    let names = types.iter().map(|of| of.info.name).chain([TEST_TYPE]);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:vigie:webhooks",
        "title": "A delivery",
        "description": "The body of the POST that a webhook endpoint of Vigie gets.",
        "oneOf": names.map(reference).collect::<Vec<_>>(),
        "$defs": parts,
    })
}

/// The AsyncAPI document (3.0.0) of every delivery. Its schemas are of draft 7, which is what AsyncAPI's own are made of.
#[must_use]
pub fn async_api() -> Value {
    let mut settings = SchemaSettings::draft07().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let types = described(&mut generator);
    let mut schemas = generator.take_definitions(true);
    // In lower case, as no type is named.
    schemas.insert("delivery".to_owned(), delivery());
    schemas.insert("headers".to_owned(), headers());
    let base = json!({ "$ref": "#/components/schemas/delivery" });
    let mut messages: Map<String, Value> =
        types.iter().map(|of| (of.info.name.to_owned(), message(of.info.name, &of.meaning, body(of, &base)))).collect();
    messages.insert(TEST_TYPE.to_owned(), message(TEST_TYPE, "An endpoint is tried.", test(&base)));
    let references = |path: &str| {
        let names = messages.keys();
        names.map(|name| (name.clone(), json!({ "$ref": format!("{path}/{name}") }))).collect::<Map<_, _>>()
    };
    let sent: Vec<Value> = references("#/channels/endpoint/messages").into_values().collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Vigie's webhooks",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every event that an endpoint asks for, signed as Standard Webhooks says, at least once, in order per key.",
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "defaultContentType": "application/json",
        "channels": {
            "endpoint": {
                "address": null,
                "description": "The URL of a webhook endpoint, as it was registered.",
                "messages": references("#/components/messages"),
            },
        },
        "operations": {
            "deliver": {
                "action": "send",
                "channel": { "$ref": "#/channels/endpoint" },
                "summary": "POSTs an event; 2xx says that the receiver has it.",
                "bindings": { "http": { "method": "POST", "bindingVersion": "0.3.0" } },
                "messages": sent,
            },
        },
        "components": { "messages": messages, "schemas": schemas },
    })
}

/// Every type of event, in the order of the contexts.
fn described(generator: &mut SchemaGenerator) -> Vec<Described> {
    let schemas = Event::schemas(generator);
    let meaning = |data: &Schema| {
        let name = data.get("$ref")?.as_str()?.rsplit('/').next()?;
        generator.definitions().get(name)?.get("description")?.as_str().map(str::to_owned)
    };
    let described =
        |(info, data): (TypeInfo, Schema)| Described { info, meaning: meaning(&data).unwrap_or_default(), data };
    schemas.into_iter().map(described).collect()
}

/// The body of an event of a type.
fn body(of: &Described, delivery: &Value) -> Value {
    json!({
        "title": of.info.name,
        "description": of.meaning,
        "allOf": [delivery],
        "properties": {
            "type": { "const": of.info.name },
            "data": { "oneOf": [of.data, { "type": "null" }] },
            "position": { "type": "integer" },
            "metadata": { "properties": { "version": { "const": of.info.version } } },
        },
    })
}

/// The body of a test.
fn test(delivery: &Value) -> Value {
    json!({
        "title": TEST_TYPE,
        "description": "An endpoint is tried; this is no event of the log.",
        "allOf": [delivery],
        "properties": {
            "type": { "const": TEST_TYPE },
            "data": { "type": "object", "properties": { "test": { "const": true } }, "required": ["test"] },
            "position": { "type": "null" },
        },
    })
}

/// What all bodies have.
fn delivery() -> Value {
    let id = |what: &str| json!({ "type": "string", "format": "uuid", "description": what });
    let time = |what: &str| json!({ "type": "string", "format": "date-time", "description": what });
    let text = |what: &str| json!({ "type": "string", "description": what });
    json!({
        "type": "object",
        "required": ["type", "timestamp", "data", "position", "tags", "metadata"],
        "properties": {
            "type": text("The type of the event; it says what `data` looks like."),
            "timestamp": time("When it happened, by the source's clock."),
            "data": { "description": "What happened; null if it is too large, and then `dataUrl` says where it is." },
            "dataUrl": text("A path on the server where whoever may read the event has its tags and data."),
            "position": { "type": ["integer", "null"], "minimum": 1, "description": "Its place in the log; null for a test." },
            "tags": {
                "type": "array",
                "items": { "type": "string" },
                "description": "The things that it is about, such as stand:LFW/C03; empty beside `dataUrl` if they are too many.",
            },
            "metadata": {
                "type": "object",
                "required": ["id", "version"],
                "properties": {
                    "id": id("The event's id, as in the header webhook-id."),
                    "site": text("Where it happened; missing for what happened at no site."),
                    "version": { "type": "integer", "minimum": 1, "description": "The version of the shape of `data`." },
                    "recordedAt": time("When the log recorded it."),
                    "command": text("The command that it was accepted from."),
                    "commandId": id("The id of that command."),
                    "correlationId": id("The first command of the chain."),
                    "causationId": id("The event to which the command reacted; missing if to none."),
                    "traceparent": text("The W3C trace context of the request, if it had one."),
                },
            },
        },
    })
}

/// The headers of Standard Webhooks.
fn headers() -> Value {
    json!({
        "type": "object",
        "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
        "properties": {
            "webhook-id": {
                "type": "string", "format": "uuid",
                "description": "The event's id: the same in every attempt and every replay.",
            },
            "webhook-timestamp": {
                "type": "string", "pattern": "^[0-9]+$",
                "description": "When this attempt was made, in seconds since 1970.",
            },
            "webhook-signature": {
                "type": "string", "pattern": "^v1a?,[A-Za-z0-9+/=]+( v1a?,[A-Za-z0-9+/=]+)*$",
                "description": "One signature per secret: v1 is HMAC-SHA256, v1a is Ed25519.",
            },
        },
    })
}

fn message(name: &str, summary: &str, payload: Value) -> Value {
    json!({
        "name": name,
        "title": name,
        "summary": summary,
        "headers": { "$ref": "#/components/schemas/headers" },
        "payload": payload,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use chrono::DateTime;
    use jsonschema::Validator;
    use uuid::Uuid;

    use super::super::wire::Body;
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    fn in_step(file: &str, document: &Value) {
        let path = root().join("docs/webhooks").join(file);
        let text = format!("{}\n", serde_json::to_string_pretty(document).unwrap());
        if std::env::var_os("VIGIE_WRITE_GENERATED").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        assert!(
            fs::read_to_string(&path).unwrap_or_default() == text,
            "docs/webhooks/{file} is old: run `make schema`"
        );
    }

    #[test]
    fn the_schema_files_are_those_of_this_build() {
        in_step("deliveries.schema.json", &json_schema());
        in_step("asyncapi.json", &async_api());
    }

    fn validator() -> Validator {
        let schema = json_schema();
        jsonschema::draft202012::meta::validate(&schema).expect("the schema is one of draft 2020-12");
        jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
    }

    /// A body around data.
    fn around(name: &str, version: u16, data: Value) -> Value {
        let mut body: Value = serde_json::from_str(&Body::test(Uuid::nil(), DateTime::UNIX_EPOCH).text).unwrap();
        body["type"] = name.into();
        body["data"] = data;
        body["position"] = 1.into();
        body["metadata"]["version"] = version.into();
        body
    }

    /// The golden files of the newest version of each type: what is stored by this build.
    fn golden() -> Vec<(TypeInfo, Value)> {
        let files = fs::read_dir(root().join("domain/golden")).unwrap().map(|file| file.unwrap());
        let mut golden = Vec::new();
        for file in files.filter(|file| file.path().extension().is_some_and(|end| end == "json")) {
            let name = file.file_name().into_string().unwrap();
            let data = serde_json::from_str(&fs::read_to_string(file.path()).unwrap()).unwrap();
            let of = |info: &TypeInfo| name.starts_with(&format!("{}.v{}.", info.name, info.version));
            golden.extend(Event::types().find(of).map(|info| (info, data)));
        }
        golden
    }

    #[test]
    fn every_stored_shape_fits_the_schema_of_its_type() {
        let (schema, golden) = (validator(), golden());
        for info in Event::types() {
            assert!(golden.iter().any(|(of, _)| of.name == info.name), "{} has a golden file", info.name);
        }
        for (info, data) in golden {
            let body = around(info.name, info.version, data.clone());
            let problems: Vec<_> = schema.iter_errors(&body).map(|error| error.to_string()).collect();
            assert!(problems.is_empty(), "{}: {problems:?}", info.name);
            // Of another type or version, or without one of its fields, it does not.
            let other = if info.name == "rail.pass_confirmed" { "rail.car_measured" } else { "rail.pass_confirmed" };
            assert!(!schema.is_valid(&around(other, 1, data.clone())), "{} as {other}", info.name);
            assert!(!schema.is_valid(&around(info.name, 99, data.clone())), "{} in version 99", info.name);
            assert!(!schema.is_valid(&around(info.name, info.version, json!({}))), "{} without data", info.name);
        }
    }

    #[test]
    fn the_example_of_the_page_fits_the_schema() {
        let page = fs::read_to_string(root().join("docs/webhooks.md")).unwrap();
        let example = page.split("```json\n").nth(1).and_then(|rest| rest.lines().next()).expect("an example");
        let example: Value = serde_json::from_str(example).unwrap();
        let problems: Vec<_> = validator().iter_errors(&example).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{problems:?}");
        let data = example["data"].to_string();
        Event::decode(example["type"].as_str().unwrap(), 1, &data).expect("it can be read");
    }

    #[test]
    fn tests_and_data_by_reference_fit_and_what_is_no_delivery_does_not() {
        let schema = validator();
        let test: Value = serde_json::from_str(&Body::test(Uuid::nil(), DateTime::UNIX_EPOCH).text).unwrap();
        assert!(schema.is_valid(&test));
        let mut large = around("rail.pass_confirmed", 1, Value::Null);
        large["dataUrl"] = "/graphql".into();
        assert!(schema.is_valid(&large));
        assert!(!schema.is_valid(&around("rail.unheard_of", 1, json!({}))));
        let mut bare = test;
        bare.as_object_mut().unwrap().remove("metadata");
        assert!(!schema.is_valid(&bare));
    }
}
