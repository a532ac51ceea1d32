//! Telemetry as requests to a collector, in OTLP's protobuf messages: <https://opentelemetry.io/docs/specs/otlp>. Numbers of
//! fields are frozen there, and stand beside each message here.

mod metrics;
mod spans;
mod wire;

use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::Resource;

pub(super) use metrics::metrics;
pub(super) use spans::traces;
use wire::Message;

/// What is known of this process, as OpenTelemetry names it: from `OTEL_RESOURCE_ATTRIBUTES`, and a name of its own without one.
pub(super) fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let pid = KeyValue::new("process.pid", i64::from(std::process::id()));
    let found = Resource::builder().with_attributes([version.clone(), pid.clone()]).build();
    let is_named = found.get(&"service.name".into()).is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    if is_named { found } else { Resource::builder().with_attributes([version, pid]).with_service_name("headway").build() }
}

/// `Resource`: attributes 1.
fn resource_message(resource: &Resource) -> Message {
    let mut message = Message::default();
    for (key, value) in resource {
        message.message(1, &attribute(key.as_str(), &any_value(value)));
    }
    message
}

/// `InstrumentationScope`: name 1, version 2.
fn scope_message() -> Message {
    let mut message = Message::default();
    message.text(1, "headway");
    message.text(2, env!("CARGO_PKG_VERSION"));
    message
}

/// `KeyValue`: key 1, value 2.
fn attribute(key: &str, value: &Message) -> Message {
    let mut message = Message::default();
    message.text(1, key);
    message.message(2, value);
    message
}

/// `AnyValue`: string 1, bool 2, int 3, double 4, array 5 (`ArrayValue`: values 1).
fn any_value(value: &Value) -> Message {
    let mut message = Message::default();
    match value {
        Value::Bool(value) => message.integer(2, u64::from(*value)),
        Value::I64(value) => message.integer(3, value.cast_unsigned()),
        Value::F64(value) => message.fixed64(4, value.to_bits()),
        Value::Array(values) => {
            let mut array = Message::default();
            let values: Vec<Value> = match values {
                Array::Bool(values) => values.iter().copied().map(Value::from).collect(),
                Array::I64(values) => values.iter().copied().map(Value::from).collect(),
                Array::F64(values) => values.iter().copied().map(Value::from).collect(),
                Array::String(values) => values.iter().cloned().map(Value::from).collect(),
                _ => Vec::new(),
            };
            values.iter().for_each(|value| array.message(1, &any_value(value)));
            message.message(5, &array);
        }
        other => message.text(1, &other.as_str()),
    }
    message
}

fn text_value(text: &str) -> Message {
    let mut message = Message::default();
    message.text(1, text);
    message
}
