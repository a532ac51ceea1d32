//! All metrics that there are.

pub(super) mod outcomes;

use super::family::{Declared, Kind};

const SHARD: &[&str] = &["pipeline", "generation", "partition"];
const GENERATION: &[&str] = &["pipeline", "generation"];
const PIPELINE: &[&str] = &["pipeline"];
const SCORER_PLACE: &[&str] = &["pipeline", "topic", "partition"];
const PLACE: &[&str] = &["pipeline", "generation", "topic", "partition"];

const fn metric(
    name: &'static str,
    unit: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    says: &'static str,
) -> Declared {
    Declared { name, unit, kind, labels, says }
}

pub(super) static FRESHNESS: Declared = metric(
    "headway.freshness",
    "s",
    Kind::Histogram,
    GENERATION,
    "How long records had waited, from when the log took them until their features could be read; each counts as long as the oldest \
     of its step and topic.",
);
pub(super) static LAG_RECORDS: Declared =
    metric("headway.lag.records", "{record}", Kind::Gauge, PLACE, "Records in the log that are not committed yet.");
pub(super) static LAG_TIME: Declared = metric(
    "headway.lag.time",
    "s",
    Kind::Gauge,
    PLACE,
    "For how long the oldest record that is not committed yet has been in the log; 0 when there is none.",
);
pub(super) static TAKEN: Declared = metric(
    "headway.records.taken",
    "{record}",
    Kind::Counter,
    SHARD,
    "Records taken from the log, blocks of partials between partitions among them.",
);
pub(super) static REFUSED: Declared = metric(
    "headway.records.refused",
    "{record}",
    Kind::Counter,
    &["pipeline", "generation", "reason"],
    "Records and parts of records that were not taken, by the reasons of docs/semantics.md; a reason appears with its first one.",
);
pub(super) static REPLAYED: Declared = metric(
    "headway.records.replayed",
    "{record}",
    Kind::Counter,
    SHARD,
    "Records taken a second time, silently, after a restart or a move.",
);
pub(super) static BROKEN_BLOCKS: Declared = metric(
    "headway.blocks.broken",
    "{block}",
    Kind::Counter,
    GENERATION,
    "Blocks of partials that could not be read. Anything but 0 is a fault.",
);
pub(super) static MADE: Declared =
    metric("headway.vectors.made", "{vector}", Kind::Counter, SHARD, "Vectors of features that were made.");
pub(super) static SUPERSEDED: Declared = metric(
    "headway.vectors.superseded",
    "{vector}",
    Kind::Counter,
    GENERATION,
    "Vectors that the online store had newer already: after a move, the work of the owner before.",
);
pub(super) static COMMITS: Declared = metric("headway.commits", "{commit}", Kind::Counter, SHARD, "Commits that are durable.");
pub(super) static REFILLS: Declared = metric(
    "headway.online.refills",
    "{refill}",
    Kind::Counter,
    GENERATION,
    "How often the online store was found without a partition and filled again.",
);
pub(super) static SNAPSHOTS: Declared = metric(
    "headway.snapshots",
    "{snapshot}",
    Kind::Counter,
    &["pipeline", "generation", "outcome"],
    "Snapshots of state: `stored` ones, and those of which a piece could not be stored (`failed`).",
);
pub(super) static ENTITIES: Declared =
    metric("headway.entities", "{entity}", Kind::Gauge, SHARD, "Entities that are live, counted once for each group.");
pub(super) static CLOCK_AGE: Declared = metric(
    "headway.engine.clock.age",
    "s",
    Kind::Gauge,
    SHARD,
    "How far the clock of a partition's engine is behind now. It goes on when nothing comes, and follows the log \
     while there is a lag: an age of minutes without one is a worker that hangs.",
);
pub(super) static HTTP_REQUESTS: Declared = metric(
    "headway.http.requests",
    "{request}",
    Kind::Counter,
    &["route", "status"],
    "Requests over HTTP that were answered, by route (`other` for paths that are none) and status.",
);
pub(super) static HTTP_DURATION: Declared =
    metric("headway.http.duration", "s", Kind::Histogram, &["route"], "How long answers took, without sending them.");
pub(super) static QUOTES: Declared = metric(
    "headway.quotes.candidates",
    "{candidate}",
    Kind::Counter,
    &["pipeline", "vectors"],
    "Candidates of quotes, by where their vectors came from: the online `store`, what was `remembered` of it, or `nowhere`.",
);
pub(super) static QUOTES_DEGRADED: Declared = metric(
    "headway.quotes.degraded",
    "{candidate}",
    Kind::Counter,
    &["pipeline", "reason"],
    "Those of them that were not what the model says of what is so now, by the reason that they were answered with.",
);
pub(super) static QUOTES_UNKNOWN: Declared = metric(
    "headway.quotes.unknown",
    "{candidate}",
    Kind::Counter,
    &["pipeline", "entity"],
    "Candidates of quotes that name an entity of which nothing is known, by its type: it is new, or its key is wrong.",
);
pub(super) static SCORER_LAG_RECORDS: Declared = metric(
    "headway.scorer.lag.records",
    "{record}",
    Kind::Gauge,
    SCORER_PLACE,
    "Records in the log that tell of cases and that nobody who predicts has committed yet.",
);
pub(super) static SCORER_LAG_TIME: Declared = metric(
    "headway.scorer.lag.time",
    "s",
    Kind::Gauge,
    SCORER_PLACE,
    "For how long the oldest of them has been in the log; 0 when there is none.",
);
pub(super) static PREDICTIONS: Declared =
    metric("headway.predictions", "{prediction}", Kind::Counter, PIPELINE, "Predictions that were committed.");
pub(super) static DEGRADED: Declared = metric(
    "headway.predictions.degraded",
    "{prediction}",
    Kind::Counter,
    &["pipeline", "reason"],
    "Those of them that were not what the model says of what is so now: `remembered`, `unreadable`, `silent` or `outdated` vectors, \
     or the name of the fallback that spoke.",
);
pub(super) static PREDICTION_VECTORS: Declared = metric(
    "headway.predictions.vectors",
    "{prediction}",
    Kind::Counter,
    &["pipeline", "vectors"],
    "Predictions, by where their vectors came from: the online `store`, what was `remembered` of it, or `nowhere`. A step that could \
     not be committed counts again.",
);
pub(super) static FLAWS: Declared = metric(
    "headway.predictions.flaws",
    "{flaw}",
    Kind::Counter,
    &["pipeline", "flaw"],
    "What was wrong with what predictions were made of: vectors that were `missing`, `unreadable`, `outdated` or `silent`, predictions for \
     which a vector was `refused` by its group's rule, and those of which the model said `no_number`. A step that could not be committed \
     counts again.",
);
pub(super) static CASES_OPEN: Declared =
    metric("headway.cases.open", "{case}", Kind::Gauge, PIPELINE, "Cases that are open in the partitions of this process.");
pub(super) static CASES_ENDED: Declared = metric(
    "headway.cases.ended",
    "{case}",
    Kind::Counter,
    &["pipeline", "how"],
    "Cases that are over: `closed` by their last stage, `lost` when nothing ended them in time, or the name of an end.",
);
pub(super) static CASES_HEARD: Declared = metric(
    "headway.cases.heard",
    "{record}",
    Kind::Counter,
    &["pipeline", "what"],
    "Records of the streams that tell of cases, by what became of them; `midway` ones begin a case at a later stage than its first, and a \
     `contradiction` tells of an end before the one that counts.",
);
pub(super) static CASES_RESTORED: Declared = metric(
    "headway.cases.restored",
    "{case}",
    Kind::Counter,
    PIPELINE,
    "Open cases that were read back after a restart or a move.",
);
pub(super) static CASES_FORGOTTEN: Declared = metric(
    "headway.cases.forgotten",
    "{case}",
    Kind::Counter,
    PIPELINE,
    "Cases that could not be read back. Anything but 0 is a fault, or a case that was declared anew.",
);
pub(super) static MODEL: Declared = metric(
    "headway.model.info",
    "",
    Kind::Gauge,
    &["pipeline", "digest"],
    "Always 1; its label says which model is asked, and none where the estimates that need no model speak.",
);
pub(super) static MODEL_SWITCHES: Declared = metric(
    "headway.model.switches",
    "{switch}",
    Kind::Counter,
    &["pipeline"],
    "How often another model, or none, was begun to be asked.",
);
pub(super) static MODEL_FAILURES: Declared = metric(
    "headway.model.failures",
    "{failure}",
    Kind::Counter,
    &["pipeline", "reason"],
    "Models that were not loaded, to speak or to challenge, and those that were refused when somebody brought them to this process: by \
     `files`, `digest`, `seal` or `key`, by `manifest`, `operators` or `golden_rows`, by the `signature` that is not the pipeline's, or because \
     what is kept is `unavailable`. Who was asked before is asked until one loads.",
);
pub(super) static CHALLENGER: Declared = metric(
    "headway.challenger.info",
    "",
    Kind::Gauge,
    &["pipeline", "digest"],
    "Always 1; its label says which model is asked beside the one that speaks.",
);
pub(super) static CHALLENGED: Declared = metric(
    "headway.challenger.opinions",
    "{opinion}",
    Kind::Counter,
    &["pipeline", "digest", "outcome"],
    "What became of asking challengers about committed predictions: the model has `said` something; it said no number and a fallback stands in \
     (`nothing`); no model could be asked (`unasked`); and without a record on the topic `shadow` it was `late`, still `busy` with what \
     it was asked before, or has `broken` down.",
);
pub(super) static READY: Declared = metric(
    "headway.ready",
    "",
    Kind::Gauge,
    &[],
    "1 as soon as everything that was in the log at the start has been taken; 0 before.",
);
pub(super) static BUILD: Declared =
    metric("headway.build.info", "", Kind::Gauge, &["version"], "Always 1; its label says which build runs.");
pub(super) static MEMORY: Declared =
    metric("process.memory.usage", "By", Kind::Gauge, &[], "Memory of the process that is resident.");
pub(super) static CPU: Declared =
    metric("process.cpu.time", "s", Kind::Counter, &[], "Processor time of the process, all threads.");
pub(super) static UPTIME: Declared = metric("process.uptime", "s", Kind::Gauge, &[], "How long the process has run.");

/// Every metric, in the order in which they are told.
pub(super) fn all() -> impl Iterator<Item = &'static Declared> {
    FIRST.into_iter().chain(outcomes::ALL).chain(LAST)
}

static FIRST: [&Declared; 35] = [
    &FRESHNESS,
    &LAG_RECORDS,
    &LAG_TIME,
    &TAKEN,
    &REFUSED,
    &REPLAYED,
    &BROKEN_BLOCKS,
    &MADE,
    &SUPERSEDED,
    &COMMITS,
    &REFILLS,
    &SNAPSHOTS,
    &ENTITIES,
    &CLOCK_AGE,
    &HTTP_REQUESTS,
    &HTTP_DURATION,
    &QUOTES,
    &QUOTES_DEGRADED,
    &QUOTES_UNKNOWN,
    &SCORER_LAG_RECORDS,
    &SCORER_LAG_TIME,
    &PREDICTIONS,
    &DEGRADED,
    &PREDICTION_VECTORS,
    &FLAWS,
    &CASES_OPEN,
    &CASES_ENDED,
    &CASES_HEARD,
    &CASES_RESTORED,
    &CASES_FORGOTTEN,
    &MODEL,
    &MODEL_SWITCHES,
    &MODEL_FAILURES,
    &CHALLENGER,
    &CHALLENGED,
];

static LAST: [&Declared; 5] = [&READY, &BUILD, &MEMORY, &CPU, &UPTIME];
