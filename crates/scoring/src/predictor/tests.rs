use domain::{Carried, Header, Span, Value, pack};

use super::*;
use crate::{Lesson, Tuner};

const SPEC: &str = r#"
[source.orders]
topic = "orders"
key = "order_id"
time = "at"
skew = "30s"
lateness = "10m"

[source.orders.fields]
type = "string"
store = "string"
items = { type = "integer", min = 0, max = 1000 }

[group.stores]
entity = "store"
key = "store"
source = "orders"
hop = "1m"
features.orders = { count = "*", windows = ["5m"] }

[group.riders]
entity = "rider"
key = "store"
source = "orders"
hop = "1m"
features.rides = { count = "*", windows = ["5m"] }

[case]
entity = "order"
longest = "2h"
label = ["1m", "1h"]
corrector = {}
calibration = {}
entities = { store = "store" }

[case.stages]
placed = { source = "orders", where = "type = 'placed'" }
ready = { source = "orders", where = "type = 'ready'" }
delivered = { source = "orders", where = "type = 'delivered'" }

[case.attributes]
store = "store"
items = "items"

[case.triggers]
stages = ["placed", "ready"]

[case.inputs]
queue = "orders_5m * 60 + items"

[[case.fallback]]
name = "store"
seconds = "queue"
spread = [0.5, 1.0, 1.5, 2.0]

[[case.fallback]]
name = "anywhere"
seconds = "1800"
spread = [0.6, 1.0, 1.4, 1.8]
"#;
const NOW: Timestamp = Timestamp(1_795_348_800_000);

fn predictor() -> Predictor {
    let pipeline = pipeline::parse("test", SPEC).unwrap_or_else(|faults| panic!("{faults}"));
    Predictor::new(&pipeline, testkit::pipelines::schemas(&pipeline), None).expect("no model").expect("a case")
}

fn vector(orders: u64) -> Option<Arc<[u8]>> {
    let (as_of, valid_until) = (NOW.minus(Span(5_000)), NOW.plus(Span(60_000)));
    let header = Header { schema: 0, generation: 1, position: 1, as_of, valid_until, source_seen_at: None, source_silent: false };
    let mut packed = Vec::new();
    pack(&mut packed, &header, &[Some(orders)]);
    Some(packed.into())
}

fn question(orders: Option<u64>, items: i64) -> Question {
    let mut facts = Facts::none(predictor().case());
    facts.attributes = vec![Some(Carried::Text("s1".into())), Some(Carried::Value(Value::Integer(items)))];
    facts.reached_at[0] = Some(NOW.minus(Span(1_500)));
    Question { facts, at: NOW, vectors: vec![orders.and_then(vector), None], origin: Origin::Store }
}

#[test]
fn each_question_is_answered_by_itself_however_many_come_together() {
    let (predictor, mut work) = (predictor(), Work::default());
    let questions = [question(Some(10), 3), question(None, 3), question(Some(20), 0)];
    let together = predictor.answer(&questions, &mut work);
    let alone: Vec<Answer> =
        questions.iter().flat_map(|question| predictor.answer(std::slice::from_ref(question), &mut work)).collect();
    assert_eq!(together, alone);
    let said: Vec<(f64, Option<&str>)> =
        together.iter().map(|answer| (answer.left.seconds()[1], answer.degraded.as_deref())).collect();
    assert_eq!(said, [(603.0, Some("store")), (1800.0, Some("anywhere")), (1200.0, Some("store"))]);
    assert_eq!(predictor.promise(&together[0].left, NOW, None), NOW.plus(Span(1_200_000)), "905 s, rounded up");
}

#[test]
fn a_row_is_all_that_was_known_and_computed() {
    let (predictor, mut work) = (predictor(), Work::default());
    let answer = predictor.answer(&[question(Some(10), 3)], &mut work).remove(0);
    let value = |name: &str| answer.row[predictor.columns().iter().position(|(column, _)| column == name).expect(name)];
    assert_eq!(answer.row.len(), predictor.columns().len());
    assert_eq!((value("orders_5m"), value("items")), (Some(Value::Integer(10)), Some(Value::Integer(3))));
    assert_eq!((value("since_placed"), value("since_ready")), (Some(Value::Float(1.5)), None));
    assert_eq!((value("rides_5m"), value("queue")), (None, Some(Value::Float(603.0))));
    assert_eq!(answer.read.as_of, Some(NOW.minus(Span(5_000))));
    assert_eq!(answer.read.missing, 0, "a case has no rider");
}

#[test]
fn a_case_needs_vectors_of_the_entities_that_it_knows() {
    let (predictor, known) = (predictor(), question(None, 1));
    assert_eq!(predictor.keys(&known.facts), [Some("s1"), None]);
    assert_eq!(predictor.keys(&Facts::none(predictor.case())), [None, None]);
    assert_eq!((known.facts.stage(), Facts::none(predictor.case()).stage()), (Some(0), None));
}

#[test]
fn what_outcomes_have_taught_is_part_of_the_answer_and_named_in_it() {
    let (predictor, mut work) = (predictor(), Work::default());
    let mut tuner = Tuner::new(predictor.case());
    let slot = Slot { speaker: "fallback store".into(), stage: 0 };
    for number in 0..100 {
        let (case, at) = (format!("o{number}"), NOW.minus(Span(3_600_000 - number * 1000)));
        let opened = Lesson::Opened { case: case.clone(), slot: slot.clone(), area: String::new(), median: 600.0, at };
        let said = [300.0, 600.0, 900.0, 1200.0];
        let closed_at = at.plus(Span(840_000));
        let closed = Lesson::Closed { case, slot: slot.clone(), area: String::new(), said, seconds: 0.0, at, closed_at };
        [opened, closed].iter().for_each(|lesson| tuner.hear(lesson));
    }
    let tuned = predictor.with_tuning(Arc::new(tuner.tuning(NOW)));
    let (plain, taught) =
        (predictor.answer(&[question(Some(10), 3)], &mut work), tuned.answer(&[question(Some(10), 3)], &mut work));
    assert_eq!((plain[0].said, plain[0].left), (taught[0].said, plain[0].said));
    assert_eq!((plain[0].applied.corrector, plain[0].applied.calibration), (None, None));
    assert!((200.0..=240.0).contains(&taught[0].applied.seconds), "{:?}", taught[0].applied);
    assert!(taught[0].applied.corrector.is_some() && taught[0].applied.calibration.is_some());
    assert!(taught[0].left.seconds()[1] > plain[0].left.seconds()[1] + 200.0, "{:?}", taught[0].left);
    let other = tuned.answer(&[question(None, 3)], &mut work);
    assert_eq!(other[0].left, other[0].said, "nothing is known of the other fallback");
}
