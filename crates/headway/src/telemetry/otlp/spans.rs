//! `ExportTraceServiceRequest`.

use std::time::SystemTime;

use opentelemetry::{
    KeyValue,
    trace::{SpanContext, SpanKind, Status},
};
use opentelemetry_sdk::{Resource, trace::SpanData};

use super::{Message, any_value, attribute, resource_message, scope_message};

/// Resource spans 1, of these resource 1 and scope spans 2, of these scope 1 and spans 2.
pub(in crate::telemetry) fn traces(resource: &Resource, spans: &[SpanData]) -> Vec<u8> {
    let mut scope = Message::default();
    scope.message(1, &scope_message());
    spans.iter().for_each(|data| scope.message(2, &span(data)));
    let mut all = Message::default();
    all.message(1, &resource_message(resource));
    all.message(2, &scope);
    let mut request = Message::default();
    request.message(1, &all);
    request.into_bytes()
}

/// `Span`: trace id 1, span id 2, trace state 3, parent span id 4, name 5, kind 6, start 7, end 8, attributes 9 and 10 for those
/// dropped, events 11 and 12, links 13 and 14, status 15, flags 16.
fn span(data: &SpanData) -> Message {
    let mut message = Message::default();
    identity(&mut message, &data.span_context);
    if data.parent_span_id != opentelemetry::SpanId::INVALID {
        message.bytes(4, &data.parent_span_id.to_bytes());
    }
    message.text(5, &data.name);
    message.integer(6, kind(&data.span_kind));
    message.fixed64(7, nanoseconds(data.start_time));
    message.fixed64(8, nanoseconds(data.end_time));
    attributes(&mut message, 9, &data.attributes);
    message.integer(10, u64::from(data.dropped_attributes_count));
    for event in &data.events.events {
        // Time 1, name 2, attributes 3, dropped ones 4.
        let mut inner = Message::default();
        inner.fixed64(1, nanoseconds(event.timestamp));
        inner.text(2, &event.name);
        attributes(&mut inner, 3, &event.attributes);
        inner.integer(4, u64::from(event.dropped_attributes_count));
        message.message(11, &inner);
    }
    message.integer(12, u64::from(data.events.dropped_count));
    for link in &data.links.links {
        // Trace id 1, span id 2, trace state 3, attributes 4, dropped ones 5, flags 6.
        let mut inner = Message::default();
        identity(&mut inner, &link.span_context);
        attributes(&mut inner, 4, &link.attributes);
        inner.integer(5, u64::from(link.dropped_attributes_count));
        inner.fixed32(6, u32::from(link.span_context.trace_flags().to_u8()));
        message.message(13, &inner);
    }
    message.integer(14, u64::from(data.links.dropped_count));
    message.message(15, &status(&data.status));
    message.fixed32(16, u32::from(data.span_context.trace_flags().to_u8()));
    message
}

/// Trace id 1, span id 2, trace state 3.
fn identity(message: &mut Message, context: &SpanContext) {
    message.bytes(1, &context.trace_id().to_bytes());
    message.bytes(2, &context.span_id().to_bytes());
    message.text(3, &context.trace_state().header());
}

fn attributes(message: &mut Message, field: u64, attributes: &[KeyValue]) {
    for pair in attributes {
        message.message(field, &attribute(pair.key.as_str(), &any_value(&pair.value)));
    }
}

/// `Status`: message 2, code 3.
fn status(status: &Status) -> Message {
    let mut message = Message::default();
    match status {
        Status::Unset => {}
        Status::Ok => message.integer(3, 1),
        Status::Error { description } => {
            message.text(2, description);
            message.integer(3, 2);
        }
    }
    message
}

fn kind(kind: &SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn nanoseconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
