//! What is asked: a pipeline that predicts, with vectors for a thousand entities of each kind, served as `headway run` serves it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use api::{Api, Predicted, Probes};
use domain::{Header, Schema, Span, Timestamp, ValueKind, pack};
use pipeline::{Case, FieldKind, Pipeline};
use ports::{OnlineStore, Serving, Share, VectorKey, VectorWrite, clock_fn};
use scoring::Predictor;
use serde_json::{Map, Value as Json, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch::{Sender, channel},
};

use super::askers::exchange;
use crate::{failure::Failure, host::wall_clock, parts::AnyOnline, settings::Servers};

/// Entities of each kind. A request names some of them, always the same.
const ENTITIES: usize = 1_000;
/// Vectors of one write.
const WRITE_MAX: usize = 2_000;
/// What is left in a server is gone after this.
const KEPT: Span = Span(3_600_000);
const GENERATION: u32 = 1;

/// A server, and what it is asked.
pub(super) struct Subject {
    pub(super) address: SocketAddr,
    pub(super) quote: Arc<[u8]>,
    pub(super) probe: Arc<[u8]>,
    candidates: usize,
    /// Serves, and predicts by what was put in, as long as these are kept.
    _kept: (Sender<bool>, Sender<Arc<Predictor>>),
}

/// A process of which nothing else is asked.
struct Alive;

impl Probes for Alive {
    async fn metrics(&self) -> String {
        String::new()
    }

    fn live(&self) -> Result<String, String> {
        Ok("alive".to_owned())
    }

    fn ready(&self) -> Result<String, String> {
        Ok("ready".to_owned())
    }
}

impl Subject {
    pub(super) async fn begin(folder: &Path, candidates: usize, servers: &Servers) -> Result<Self, Failure> {
        let pipeline = Arc::new(pipeline::load(folder)?);
        let predictor =
            Predictor::new(&pipeline, features::schemas(&pipeline), None).map_err(|error| Failure::failed(error.to_string()))?;
        let Some(predictor) = predictor else {
            return Err(Failure::failed(format!("{} predicts nothing: its spec has no [case].", pipeline.id)));
        };
        let case = predictor.case().clone();
        let clock = clock_fn(1.0, wall_clock);
        // What it leaves in a server has a name that no other measurement has.
        let online = AnyOnline::open(servers, &clock, &format!("bench-{:x}", wall_clock().0))?;
        fill(&online, &pipeline, &case).await?;
        let (tell, predictor) = channel(Arc::new(predictor));
        let predicted = Predicted::new(pipeline.clone(), predictor, online, clock);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(|error| Failure::failed(format!("cannot listen: {error}")))?;
        let address = listener.local_addr().map_err(|error| Failure::failed(format!("cannot listen: {error}")))?;
        let (stop, stopped) = channel(false);
        tokio::spawn(api::serve(listener, Api::new(vec![predicted], Alive).router(), stopped));
        let body = body(&pipeline, &case, candidates).to_string();
        let quote = format!(
            "POST /v1/quotes HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let probe = Arc::from(&b"GET /livez HTTP/1.1\r\nhost: bench\r\n\r\n"[..]);
        Ok(Self { address, quote: quote.into_bytes().into(), probe, candidates, _kept: (stop, tell) })
    }

    /// Figures count only when what was measured was a quote with its vectors.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        let stream = TcpStream::connect(self.address).await;
        let answer = exchange(&mut stream.map_err(|error| Failure::failed(format!("cannot ask: {error}")))?, &self.quote).await?;
        let answer: Json =
            serde_json::from_str(&answer).map_err(|error| Failure::failed(format!("an answer is no JSON: {error}")))?;
        let said = answer["candidates"].as_array().map_or(&[][..], Vec::as_slice);
        let is_whole = |said: &Json| said["features_as_of"].is_string() && said["unknown"].as_array().is_some_and(Vec::is_empty);
        match said.len() == self.candidates && said.iter().all(is_whole) {
            true => Ok(()),
            false => {
                Err(Failure::failed("a quote was made without its vectors, so what it took says nothing: is the store well?"))
            }
        }
    }
}

/// The key of an entity.
fn key(entity: &str, number: usize) -> String {
    format!("{entity}-{}", number % ENTITIES)
}

/// A vector of each group for each entity that a case may have.
async fn fill(online: &AnyOnline, pipeline: &Pipeline, case: &Case) -> Result<(), Failure> {
    let now = wall_clock();
    let groups = pipeline.groups.iter().zip(features::schemas(pipeline));
    for (group, schema) in groups.filter(|(group, _)| case.entities.iter().any(|(entity, _)| *entity == group.entity)) {
        online.serve(&[Serving { group: group.name.clone(), generation: GENERATION }]).await?;
        let vector = vector(&schema, now);
        let keys: Vec<String> = (0..ENTITIES).map(|number| key(&group.entity, number)).collect();
        for keys in keys.chunks(WRITE_MAX) {
            let mut batch = Vec::new();
            for key in keys {
                let at = VectorKey { entity: &group.entity, key, group: &group.name, generation: GENERATION };
                batch.push(VectorWrite { at, packed: &vector, expires_at: now.plus(KEPT) });
            }
            online.write(Share { generation: GENERATION, partition: 0 }, &batch).await?;
        }
    }
    Ok(())
}

/// Ten minutes wherever a duration may be, and small numbers otherwise.
fn vector(schema: &Schema, now: Timestamp) -> Vec<u8> {
    let word = |(_, kind): &(String, ValueKind)| {
        Some(match kind {
            ValueKind::Float => 600f64.to_bits(),
            ValueKind::Integer => 7,
            ValueKind::Boolean => 1,
            ValueKind::Time => now.0.cast_unsigned(),
            ValueKind::Category(_) => 0,
        })
    };
    let words: Vec<Option<u64>> = schema.columns.iter().map(word).collect();
    let header = Header {
        schema: schema.id,
        generation: GENERATION,
        position: 1,
        as_of: now,
        valid_until: domain::NEVER,
        source_seen_at: Some(now),
        source_silent: false,
    };
    let mut packed = Vec::new();
    pack(&mut packed, &header, &words);
    packed
}

/// A draft with a value for each attribute, and candidates that differ in the first of the entities.
fn body(pipeline: &Pipeline, case: &Case, candidates: usize) -> Json {
    let mut draft = Map::new();
    for (place, attribute) in case.attributes.iter().enumerate() {
        let entity = case.entities.iter().find(|(_, attribute)| *attribute == place).map(|(entity, _)| entity);
        let field = attribute.told_by.first().map(|(source, field)| &pipeline.sources[*source].fields[*field].kind);
        let value = match (entity, field) {
            (Some(entity), _) => json!(key(entity, 0)),
            (None, Some(FieldKind::Integer { min, max })) => json!(3.clamp(*min, *max)),
            (None, Some(FieldKind::Decimal { digits, min, max, .. })) => {
                let scale = 10f64.powi(i32::from(*digits));
                json!((20.0 * scale).clamp(*min as f64, *max as f64) / scale)
            }
            (None, Some(FieldKind::Boolean)) => json!(true),
            (None, Some(FieldKind::Category(labels))) => json!(labels[0]),
            _ => Json::Null,
        };
        draft.insert(attribute.name.clone(), value);
    }
    let candidate = |number: usize| match case.entities.first() {
        Some((entity, attribute)) => json!({ &*case.attributes[*attribute].name: key(entity, number * 7) }),
        None => json!({}),
    };
    json!({ "draft": draft, "candidates": (0..candidates).map(candidate).collect::<Vec<Json>>() })
}
