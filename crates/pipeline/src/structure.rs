//! Holds a document against the JSON Schema: unknown keys, wrong types, missing keys, numbers out of bounds.
//!
//! Follows the few keywords that the schema of the raw types uses. `oneOf` over `required` and `pattern` are for editors
//! only: what they forbid, the resolver reports with a better message.

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::document::Path;
use crate::report::Report;
use crate::suggestion::{did_you_mean, listed, nearest};

/// What is left of the document when everything at fault is taken out; it always fits the raw types.
pub(crate) fn check(schema: &Value, report: &mut Report<'_>) -> Value {
    let document = report.document();
    let mut walk = Walk { root: schema, report };
    walk.visit(schema, document.root(), &Path::default()).unwrap_or_default()
}

struct Walk<'s, 'r, 'a> {
    /// The whole schema, where references point.
    root: &'s Value,
    report: &'r mut Report<'a>,
}

impl<'s> Walk<'s, '_, '_> {
    fn visit(&mut self, schema: &'s Value, value: &Spanned<DeValue<'_>>, path: &Path) -> Option<Value> {
        let schema = self.dereference(schema);
        let mut fitting = self.choices(schema).into_iter().filter(|choice| fits(choice, value.get_ref()));
        let Some(chosen) = fitting.next() else {
            self.report_type(schema, value.get_ref(), path);
            return None;
        };
        match value.get_ref() {
            DeValue::Table(table) => Some(self.table(chosen, table, path)),
            DeValue::Array(items) => self.array(chosen, items, path),
            DeValue::String(text) => self.text(schema, text, path),
            DeValue::Boolean(truth) => Some(Value::Bool(*truth)),
            DeValue::Integer(_) | DeValue::Float(_) => self.number(chosen, value.get_ref(), path),
            DeValue::Datetime(_) => None,
        }
    }

    fn table(&mut self, schema: &'s Value, table: &DeTable<'_>, path: &Path) -> Value {
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let mut kept = Map::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let inner = path.key(name);
            match properties.and_then(|properties| properties.get(name)).or(others) {
                Some(schema) => kept.extend(self.visit(schema, value, &inner).map(|value| (name.to_owned(), value))),
                None => self.report_unknown(properties, name, path),
            }
        }
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            let why = properties
                .and_then(|properties| properties.get(name))
                .map(|property| description(self.dereference(property), property))
                .unwrap_or_default();
            self.report.missing(path, name, &why);
        }
        Value::Object(kept)
    }

    /// A list with one wrong item is dropped as a whole, so that the places of the others keep their meaning.
    fn array(&mut self, schema: &'s Value, items: &[Spanned<DeValue<'_>>], path: &Path) -> Option<Value> {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let length = items.len() as u64;
        if let Some(exactly) =
            bound("minItems").filter(|least| length < *least).or(bound("maxItems").filter(|most| length > *most))
        {
            self.report.value(path, "wrong_length", format!("this list needs exactly {exactly} items and has {length}"));
            return None;
        }
        let inner = schema.get("items").unwrap_or(&Value::Null);
        let visited: Vec<_> = items.iter().enumerate().map(|(place, item)| self.visit(inner, item, &path.index(place))).collect();
        visited.into_iter().collect::<Option<Vec<_>>>().map(Value::Array)
    }

    fn text(&mut self, schema: &'s Value, text: &str, path: &Path) -> Option<Value> {
        let known: Vec<&str> =
            self.choices(schema).into_iter().filter_map(|choice| choice.get("const").and_then(Value::as_str)).collect();
        if known.is_empty() || known.contains(&text) {
            return Some(Value::from(text));
        }
        let help = nearest(text, &known).map(|near| format!("did you mean `{near}`?"));
        self.report.value(path, "unknown_value", format!("`{text}` is none of {}", listed(&known))).suggest_maybe(help);
        None
    }

    fn number(&mut self, schema: &'s Value, value: &DeValue<'_>, path: &Path) -> Option<Value> {
        let read = match value {
            DeValue::Integer(written) => i64::from_str_radix(written.as_str(), written.radix()).ok().map(Value::from),
            DeValue::Float(written) => written.as_str().parse::<f64>().ok().filter(|x| x.is_finite()).map(Value::from),
            _ => None,
        };
        let Some(read) = read else {
            self.report.value(path, "out_of_range", "this number is too large or not finite");
            return None;
        };
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        let outside = read.as_f64().is_some_and(|x| least.is_some_and(|least| x < least) || most.is_some_and(|most| x > most));
        if outside {
            let bounds = [least.map(|least| format!("at least {least}")), most.map(|most| format!("at most {most}"))];
            let bounds = bounds.into_iter().flatten().collect::<Vec<_>>().join(" and ");
            self.report.value(path, "out_of_range", format!("{read} is out of range; it must be {bounds}"));
            return None;
        }
        Some(read)
    }

    /// The schemas of which one has to fit: the choices of an `anyOf` or `oneOf`, or the schema itself.
    fn choices(&self, schema: &'s Value) -> Vec<&'s Value> {
        let choices = ["anyOf", "oneOf"].into_iter().filter(|_| schema.get("properties").is_none());
        match choices.filter_map(|keyword| schema.get(keyword)).find_map(Value::as_array) {
            Some(choices) => choices.iter().flat_map(|choice| self.choices(self.dereference(choice))).collect(),
            None => vec![schema],
        }
    }

    fn dereference(&self, schema: &'s Value) -> &'s Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        name.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(schema)
    }

    fn report_type(&mut self, schema: &'s Value, value: &DeValue<'_>, path: &Path) {
        let mut wanted: Vec<&str> = self.choices(schema).into_iter().filter_map(|choice| phrase(type_of(choice))).collect();
        wanted.dedup();
        let message = format!("expected {}, found {}", wanted.join(" or "), phrase(kind_of(value)).unwrap_or("a date or time"));
        let help = match (value, description(schema, schema)) {
            (DeValue::Datetime(_), _) => Some("put it in quotes".to_owned()),
            (_, description) => Some(description).filter(|text| !text.is_empty()).map(|text| format!("this is {text}")),
        };
        self.report.value(path, "wrong_type", message).suggest_maybe(help);
    }

    fn report_unknown(&mut self, properties: Option<&'s Map<String, Value>>, name: &str, path: &Path) {
        let known = properties.into_iter().flat_map(Map::keys).map(String::as_str);
        let free: Vec<&str> = known.filter(|known| !self.report.document().contains(&path.key(known))).collect();
        if let Some(meant) = nearest(name, &free) {
            self.report.mark_meant(path.key(meant));
        }
        let help = did_you_mean(name, free).or_else(|| Some("remove it; the table has every key that it can have".into()));
        self.report.key(&path.key(name), "unknown_key", format!("`{name}` is no key of this table")).suggest_maybe(help);
    }
}

fn description(schema: &Value, property: &Value) -> String {
    let found = property.get("description").or_else(|| schema.get("description")).and_then(Value::as_str).unwrap_or_default();
    let found = found.trim_end_matches('.');
    let mut letters = found.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn type_of(schema: &Value) -> &str {
    schema.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn fits(schema: &Value, value: &DeValue<'_>) -> bool {
    let (wanted, found) = (type_of(schema), kind_of(value));
    wanted == found || (wanted == "number" && found == "integer")
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Datetime(_) => "datetime",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

fn phrase(kind: &str) -> Option<&'static str> {
    match kind {
        "string" => Some("a text in quotes"),
        "integer" => Some("a whole number"),
        "number" => Some("a number"),
        "boolean" => Some("true or false"),
        "array" => Some("a list"),
        "object" => Some("a table"),
        _ => None,
    }
}
