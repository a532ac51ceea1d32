//! The text of an Avro schema to types: names and their namespaces, references, logical types.
//!
//! A logical type that is unknown or does not fit is left out, and the type beneath it counts: so the specification has it.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{
    decimal::SCALE_MAX,
    schema::{Field, Part, Schema, Symbol, Type, TypeId},
};

/// The largest schema seen in practice has some thousand types; more than this is no description of an event.
const TYPES_MAX: usize = 10_000;
/// Types written within each other. What belongs to an event is far below; a deeper text would take more stack than it is worth.
const DEPTH_MAX: usize = 64;

struct Parser {
    types: Vec<Type>,
    names: HashMap<String, TypeId>,
}

/// Where a type stands: names without a namespace belong to that of what is around them.
#[derive(Clone, Copy)]
struct Place<'a> {
    namespace: &'a str,
    depth: usize,
}

impl Schema {
    /// `references` are the texts that this one builds on, each after those that it builds on itself.
    pub(crate) fn parse(text: &str, references: &[&str]) -> Result<Self, String> {
        let mut parser = Parser { types: Vec::new(), names: HashMap::new() };
        for reference in references {
            parser.text(reference)?;
        }
        let root = parser.text(text)?;
        let is_record = |id: &TypeId| matches!(parser.types[*id], Type::Record(_));
        let holds_records = match &parser.types[root] {
            Type::Union(branches) => branches.iter().any(is_record),
            _ => is_record(&root),
        };
        if !holds_records {
            return Err("an event has to be a record, or one of several records".into());
        }
        Ok(Self { types: parser.types, root })
    }
}

impl Parser {
    fn text(&mut self, text: &str) -> Result<TypeId, String> {
        let value = serde_json::from_str(text).or_else(|error| {
            // A primitive's name is a schema, and some registries hand it out without quotes.
            primitive(text.trim()).map(|_| Value::String(text.trim().into())).ok_or_else(|| format!("it is not JSON ({error})"))
        })?;
        self.schema(&value, Place { namespace: "", depth: 0 })
    }

    fn schema(&mut self, value: &Value, place: Place<'_>) -> Result<TypeId, String> {
        if place.depth > DEPTH_MAX {
            return Err(format!("types are written more than {DEPTH_MAX} deep within each other: give inner ones names"));
        }
        let place = Place { depth: place.depth + 1, ..place };
        match value {
            Value::String(name) => self.named(name, place),
            Value::Array(branches) => {
                let branches: Result<_, _> = branches.iter().map(|branch| self.schema(branch, place)).collect();
                self.push(Type::Union(branches?))
            }
            Value::Object(object) => self.object(object, place),
            other => Err(format!("{other} is no type")),
        }
    }

    fn push(&mut self, kind: Type) -> Result<TypeId, String> {
        if self.types.len() >= TYPES_MAX {
            return Err(format!("it has more than {TYPES_MAX} types"));
        }
        self.types.push(kind);
        Ok(self.types.len() - 1)
    }

    fn named(&mut self, name: &str, place: Place<'_>) -> Result<TypeId, String> {
        if let Some(kind) = primitive(name) {
            return self.push(kind);
        }
        let full = full_name(name, place.namespace);
        // Old writers leave the namespace out where a name has none.
        let found = self.names.get(&full).or_else(|| self.names.get(name));
        found.copied().ok_or_else(|| format!("the type {full} is not declared: add a reference to the subject that declares it"))
    }

    fn object(&mut self, object: &Map<String, Value>, place: Place<'_>) -> Result<TypeId, String> {
        let kind = object.get("type").ok_or("an object without `type` is no type")?;
        let Value::String(kind) = kind else { return self.schema(kind, place) };
        match kind.as_str() {
            "array" => {
                let items = self.schema(object.get("items").ok_or("an array needs `items`")?, place)?;
                self.push(Type::Array(items))
            }
            "map" => {
                let values = self.schema(object.get("values").ok_or("a map needs `values`")?, place)?;
                self.push(Type::Map(values))
            }
            "record" | "error" => self.declared(object, place, |parser, place| parser.record(object, place)),
            "enum" => self.declared(object, place, |_, _| symbols(object).map(Type::Enum)),
            "fixed" => self.declared(object, place, |_, _| {
                let size = object.get("size").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
                Ok(logical(Type::Fixed(size.ok_or("a fixed type needs a `size`")?), object))
            }),
            name => match primitive(name) {
                Some(kind) => self.push(logical(kind, object)),
                None => self.named(name, place),
            },
        }
    }

    /// A type with a name. The name is known within itself.
    fn declared(
        &mut self,
        object: &Map<String, Value>,
        place: Place<'_>,
        read: impl FnOnce(&mut Self, Place<'_>) -> Result<Type, String>,
    ) -> Result<TypeId, String> {
        let name = object.get("name").and_then(Value::as_str).ok_or("a record, an enum and a fixed type need a `name`")?;
        let namespace = object.get("namespace").and_then(Value::as_str).unwrap_or(place.namespace);
        let full = full_name(name, namespace);
        let id = self.push(Type::Open)?;
        if self.names.insert(full.clone(), id).is_some() {
            return Err(format!("the type {full} is declared twice"));
        }
        let namespace = full.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        self.types[id] = read(self, Place { namespace, ..place })?;
        Ok(id)
    }

    fn record(&mut self, object: &Map<String, Value>, place: Place<'_>) -> Result<Type, String> {
        let fields = object.get("fields").and_then(Value::as_array).ok_or("a record needs `fields`")?;
        let mut names = HashSet::new();
        let mut field = |field: &Value| {
            let name = field.get("name").and_then(Value::as_str).ok_or("a field needs a `name`")?;
            if !names.insert(name.to_owned()) {
                return Err(format!("the field {name} is declared twice"));
            }
            let kind = self.schema(field.get("type").ok_or_else(|| format!("the field {name} needs a `type`"))?, place)?;
            let lead = [quoted(name).as_slice(), b":"].concat();
            Ok(Field { name: name.into(), lead, kind, default: field.get("default").cloned() })
        };
        fields.iter().map(&mut field).collect::<Result<_, _>>().map(Type::Record)
    }
}

fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int,
        "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes,
        "string" => Type::Text,
        _ => return None,
    })
}

fn logical(kind: Type, object: &Map<String, Value>) -> Type {
    let Some(name) = object.get("logicalType").and_then(Value::as_str) else { return kind };
    match (name, &kind) {
        ("decimal", Type::Bytes) => decimal(object, None).unwrap_or(kind),
        ("decimal", Type::Fixed(size)) => decimal(object, Some(*size)).unwrap_or(kind),
        ("uuid", Type::Fixed(16)) => Type::Uuid,
        ("date", Type::Int) => Type::Date,
        ("timestamp-millis", Type::Long) => Type::Instant(Part::Milli),
        ("timestamp-micros", Type::Long) => Type::Instant(Part::Micro),
        ("timestamp-nanos", Type::Long) => Type::Instant(Part::Nano),
        ("local-timestamp-millis", Type::Long) => Type::Local(Part::Milli),
        ("local-timestamp-micros", Type::Long) => Type::Local(Part::Micro),
        ("local-timestamp-nanos", Type::Long) => Type::Local(Part::Nano),
        _ => kind,
    }
}

fn decimal(object: &Map<String, Value>, size: Option<usize>) -> Option<Type> {
    let number = |name: &str| object.get(name).map_or(Some(0), Value::as_u64);
    let (precision, scale) = (number("precision")?, number("scale")?);
    let scale_fits = scale <= precision && precision > 0 && scale <= u64::from(SCALE_MAX);
    scale_fits.then_some(Type::Decimal { size, scale: u32::try_from(scale).ok()? })
}

fn symbols(object: &Map<String, Value>) -> Result<Vec<Symbol>, String> {
    let symbols = object.get("symbols").and_then(Value::as_array).ok_or("an enum needs `symbols`")?;
    let symbol = |symbol: &Value| {
        let name = symbol.as_str().ok_or("a symbol of an enum is a text")?;
        Ok(Symbol { name: name.into(), json: quoted(name) })
    };
    symbols.iter().map(symbol).collect()
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.trim_start_matches('.').into() } else { format!("{namespace}.{name}") }
}

/// A text as it stands in JSON.
fn quoted(text: &str) -> Vec<u8> {
    Value::from(text).to_string().into_bytes()
}
