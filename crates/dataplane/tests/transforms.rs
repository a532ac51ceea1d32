//! The two evaluators of transforms agree to the last bit: `features` by column for a backfill, `scoring` by row for a prediction.
//! What a model was trained on is what it is served. Lives here because this is the first crate that may import both.

use domain::{Value, ValueKind};
use pipeline::{Arithmetic, Comparison, Expr, Function, Pipeline, Transform, Type};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::Union;
use scoring::Transforms;

/// One column of each kind, twice where two of a kind can be combined.
const SPEC: &str = r#"
[source.readings]
topic = "readings"
key = "sensor"
time = "at"
skew = "30s"
lateness = "10m"
silent_after = "2m"

[source.readings.fields]
amount = { decimal = "0.01", max = 500 }
flag = "boolean"
mode = { category = ["idle", "ẞtraße", "SLOW", "S"] }
state = { category = ["slow", "idle"] }
seen_at = "time"

[group.sensors]
entity = "sensor"
key = "sensor"
source = "readings"
hop = "1m"

[group.sensors.features]
mean = { mean = "amount", windows = ["5m", "1h"] }
count = { count = "*", windows = ["5m"] }
flag = { last = "flag" }
mode = { last = "mode" }
state = { last = "state" }
seen_at = { last = "seen_at" }
first_at = { first = "seen_at" }
"#;

/// Nesting of a generated expression.
const DEPTH: u32 = 4;

/// In the order of their declaration.
const TYPES: [Type; 4] = [Type::Number, Type::Text, Type::Boolean, Type::Time];

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn rows_and_columns_agree((pipeline, rows) in pipelines_and_rows()) {
        let transforms = Transforms::of(&pipeline);
        let mut evaluator = transforms.evaluator();
        let columns: Vec<Vec<Option<Value>>> =
            (0..kinds(&pipeline).len()).map(|column| rows.iter().map(|row| row[column]).collect()).collect();
        let expected = features::transforms(&pipeline, &columns);
        let mut found = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            found.clear();
            evaluator.append(row, &mut found);
            assert_eq!(found.len(), expected.len());
            for ((transform, column), found) in pipeline.transforms.iter().zip(&expected).zip(&found) {
                let expected = &column[place];
                assert_eq!(bits(*found), bits(*expected), "{found:?} by row, {expected:?} by column: {transform:?} of {row:?}");
            }
        }
    }
}

/// A value as what must be equal. There is one NaN, whatever its sign and payload.
fn bits(value: Option<Value>) -> Option<(bool, u64)> {
    value.map(|value| match value {
        Value::Float(number) if number.is_nan() => (true, f64::NAN.to_bits()),
        Value::Float(number) => (true, number.to_bits()),
        Value::Integer(number) => (false, number as u64),
    })
}

/// The columns without transforms.
fn kinds(pipeline: &Pipeline) -> Vec<ValueKind> {
    pipeline.groups.iter().flat_map(|group| group.columns()).map(|column| column.kind).collect()
}

fn pipelines_and_rows() -> impl Strategy<Value = (Pipeline, Vec<Vec<Option<Value>>>)> {
    let pipeline = pipeline::parse("readings", SPEC).unwrap_or_else(|faults| panic!("{faults}"));
    let mut visible = kinds(&pipeline);
    let rows = vec(visible.iter().map(value).collect::<Vec<_>>(), 1..5);
    let mut transforms = Vec::new();
    // Each sees those before it; the third copies a category, the one way in which a transform gives a text.
    for kind in [ValueKind::Float, ValueKind::Boolean, visible[4].clone(), ValueKind::Time, ValueKind::Float] {
        let expr = match &kind {
            ValueKind::Category(_) => Just(Expr::Field(4)).boxed(),
            kind => expressions(&visible)(type_of(kind)),
        };
        visible.push(kind.clone());
        transforms.push(expr.prop_map(move |expr| Transform { name: "made".into(), expr, kind: kind.clone() }));
    }
    (transforms, rows).prop_map(move |(transforms, rows)| (Pipeline { transforms, ..pipeline.clone() }, rows))
}

fn value(kind: &ValueKind) -> BoxedStrategy<Option<Value>> {
    let other = prop_oneof![Just(Value::Float(1.0)), Just(Value::Integer(1))];
    let value = match kind {
        ValueKind::Float => prop_oneof![number().prop_map(Value::Float), any::<i64>().prop_map(Value::Integer)].boxed(),
        ValueKind::Integer => prop_oneof![-3i64..4, any::<i64>()].prop_map(Value::Integer).boxed(),
        ValueKind::Boolean => (-1i64..3).prop_map(Value::Integer).boxed(),
        ValueKind::Time => prop_oneof![Just(i64::MIN), Just(i64::MAX), 0i64..9, 1_700_000_000_000i64..1_800_000_000_000]
            .prop_map(Value::Integer)
            .boxed(),
        ValueKind::Category(labels) => (-1..=labels.len() as i64).prop_map(Value::Integer).boxed(),
    };
    option::weighted(0.8, prop_oneof![20 => value, 1 => other]).boxed()
}

fn number() -> BoxedStrategy<f64> {
    let special = vec![0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-308, 1e308, -1e308, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    prop_oneof![select(special), -10.0..10.0, any::<f64>()].boxed()
}

fn type_of(kind: &ValueKind) -> Type {
    match kind {
        ValueKind::Float | ValueKind::Integer => Type::Number,
        ValueKind::Boolean => Type::Boolean,
        ValueKind::Time => Type::Time,
        ValueKind::Category(_) => Type::Text,
    }
}

/// Well-typed expressions over the visible columns, up to the greatest depth.
fn expressions(visible: &[ValueKind]) -> impl Fn(Type) -> BoxedStrategy<Expr> {
    let level = |below: &[BoxedStrategy<Expr>]| TYPES.map(|kind| expression(kind, visible, below)).to_vec();
    let all = (0..DEPTH).fold(level(&[]), |below, _| level(&below));
    move |kind| all[kind as usize].clone()
}

/// An expression of one type, made of those of the level below; of none where there is no such level.
fn expression(kind: Type, visible: &[ValueKind], below: &[BoxedStrategy<Expr>]) -> BoxedStrategy<Expr> {
    let fields: Vec<Expr> =
        visible.iter().enumerate().filter(|(_, of)| type_of(of) == kind).map(|(place, _)| Expr::Field(place)).collect();
    let literal = match kind {
        Type::Number => number().prop_map(Expr::Number).boxed(),
        Type::Text => text(),
        Type::Boolean => any::<bool>().prop_map(Expr::Boolean).boxed(),
        Type::Time => Just(Expr::Null(Type::Time)).boxed(),
    };
    let leaf = prop_oneof![6 => select(fields), 3 => literal, 1 => Just(Expr::Null(kind))];
    if below.is_empty() {
        return leaf.boxed();
    }
    let sub = |kind: Type| below[kind as usize].clone();
    let two = |kind| (sub(kind), sub(kind)).prop_map(|(left, right)| (Box::new(left), Box::new(right)));
    let own: BoxedStrategy<Expr> = match kind {
        Type::Number => prop_oneof![
            4 => (arithmetic(), two(Type::Number)).prop_map(|(operator, (left, right))| Expr::Arithmetic(operator, left, right)),
            1 => two(Type::Time).prop_map(|(left, right)| Expr::Arithmetic(Arithmetic::Subtract, left, right)),
            1 => sub(Type::Number).prop_map(|inner| Expr::Negate(Box::new(inner))),
            2 => (rounding(), sub(Type::Number)).prop_map(|(function, of)| Expr::Call(function, vec![of])),
            2 => (select(&[Function::Least, Function::Greatest][..]), vec(sub(Type::Number), 2..4))
                .prop_map(|(function, of)| Expr::Call(function, of)),
            1 => (sub(Type::Number), sub(Type::Number), number(), sub(Type::Number)).prop_map(|(value, n, strength, towards)| {
                Expr::Call(Function::Shrunk, vec![value, n, Expr::Number(strength), towards])
            }),
        ]
        .boxed(),
        Type::Text => (select(&[Function::Lower, Function::Upper][..]), sub(Type::Text))
            .prop_map(|(function, of)| Expr::Call(function, vec![of]))
            .boxed(),
        Type::Boolean => {
            let compared = (comparison(), Union::new(TYPES.map(two)));
            let numbers = (sub(Type::Number), vec(number().prop_map(Expr::Number), 1..4));
            let texts = (sub(Type::Text), vec(text(), 1..4));
            let affixes = (select(&[Function::StartsWith, Function::EndsWith][..]), sub(Type::Text), text());
            prop_oneof![
                4 => compared.prop_map(|(comparison, (left, right))| Expr::Compare(comparison, left, right)),
                2 => two(Type::Boolean).prop_map(|(left, right)| Expr::And(left, right)),
                2 => two(Type::Boolean).prop_map(|(left, right)| Expr::Or(left, right)),
                1 => sub(Type::Boolean).prop_map(|inner| Expr::Not(Box::new(inner))),
                1 => Union::new(TYPES.map(sub)).prop_map(|inner| Expr::IsNull(Box::new(inner))),
                1 => affixes.prop_map(|(function, of, affix)| Expr::Call(function, vec![of, affix])),
                1 => numbers.prop_map(|(of, list)| Expr::In(Box::new(of), list)),
                1 => texts.prop_map(|(of, list)| Expr::In(Box::new(of), list)),
            ]
            .boxed()
        }
        Type::Time => leaf.clone().boxed(),
    };
    prop_oneof![
        2 => leaf,
        6 => own,
        1 => (vec((sub(Type::Boolean), sub(kind)), 1..3), sub(kind))
            .prop_map(|(branches, otherwise)| Expr::Case(branches, Box::new(otherwise))),
        1 => vec(sub(kind), 2..4).prop_map(|of| Expr::Call(Function::Coalesce, of)),
        1 => vec(sub(kind), 2).prop_map(|of| Expr::Call(Function::NullIf, of)),
    ]
    .boxed()
}

/// Labels, what they become in small and large letters, and others before, between and after them.
fn text() -> BoxedStrategy<Expr> {
    select(&["", "idle", "IDLE", "slow", "SLOW", "s", "ßtrasse", "SSTRASSE", "a", "zz", "e"][..])
        .prop_map(|text| Expr::Text(text.into()))
        .boxed()
}

fn arithmetic() -> impl Strategy<Value = Arithmetic> {
    select(&[Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide][..])
}

fn rounding() -> impl Strategy<Value = Function> {
    select(&[Function::Abs, Function::Floor, Function::Ceil, Function::Round, Function::Sqrt][..])
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    select(&[Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual][..])
}
