//! Schemas of a registry, asked for once and remembered: the way from the ids of a batch to a `Decoder`.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ports::Clock;

use crate::{
    Error, Settings,
    cache::Cache,
    check::{self, Mismatch, Wanted},
    client::Client,
    decoder::{Decoder, Known},
    frame::SchemaId,
    schema::{Definition, Format, Reference, Schema},
};

/// Schemas that one schema builds on, all together. What people share between topics are some tens of types.
const REFERENCES_MAX: usize = 100;

/// A schema registry that speaks Confluent's API. Cheap to clone; the clones share what they know.
#[derive(Clone, Debug)]
pub struct Registry {
    client: Arc<Client>,
    cache: Arc<Mutex<Cache>>,
    clock: Clock,
}

impl Registry {
    /// Looks at the settings and asks nobody as yet.
    pub fn open(settings: &Settings, clock: Clock) -> Result<Self, Error> {
        Ok(Self { client: Arc::new(Client::new(settings)?), cache: Arc::default(), clock })
    }

    /// A decoder for records of these schemas, see [`SchemaId::of`]. Asks for what was not known before; what the registry does not
    /// have is a fault of the records, what it cannot say now is an error, and then no record was touched.
    pub async fn prepare(&self, ids: impl IntoIterator<Item = SchemaId>) -> Result<Decoder, Error> {
        let (mut schemas, missing) = self.look_up(ids);
        if !missing.is_empty() {
            let registry = self.clone();
            let fetched =
                blocking(move || missing.into_iter().map(|id| Ok((id, registry.fetch(id)?))).collect::<Result<Vec<_>, _>>());
            schemas.extend(fetched.await?);
        }
        Ok(Decoder::new(schemas))
    }

    /// The same where nobody has to be asked; none where somebody has to be.
    pub fn prepared(&self, ids: impl IntoIterator<Item = SchemaId>) -> Option<Decoder> {
        let (schemas, missing) = self.look_up(ids);
        missing.is_empty().then(|| Decoder::new(schemas))
    }

    /// Every field that records of the subject's latest schema do not have, or not as it is wanted, and whether it is a schema of
    /// another language. The subject of a topic's values is its name and `-value`.
    pub async fn check(&self, subject: &str, format: Format, wanted: &[Wanted]) -> Result<Vec<Mismatch>, Error> {
        let (client, subject, wanted) = (Arc::clone(&self.client), subject.to_owned(), wanted.to_owned());
        blocking(move || {
            let missing = |why: String| {
                vec![Mismatch::whole(&subject, format!("{why}. Register a schema, or declare that the topic is JSON"))]
            };
            let definition = match client.version(&subject, "latest")? {
                Ok(definition) => definition,
                Err(words) => return Ok(missing(format!("the registry has no such subject ({words})"))),
            };
            Ok(match read(&client, &definition)? {
                Known::Readable(schema) => {
                    let foreign = check::foreign(&subject, format, definition.format);
                    foreign.into_iter().chain(check::check(&subject, &schema, &wanted)).collect()
                }
                Known::Unusable(why) => vec![Mismatch::whole(&subject, format!("its latest schema cannot be used: {why}"))],
                Known::Missing(why) => missing(why.to_string()),
            })
        })
        .await
    }

    /// Makes a schema the latest one of a subject; one that is there already keeps its id.
    pub async fn register(&self, subject: &str, definition: &Definition) -> Result<SchemaId, Error> {
        let (client, subject, definition) = (Arc::clone(&self.client), subject.to_owned(), definition.clone());
        blocking(move || client.register(&subject, &definition)).await
    }

    /// What is known of these schemas, and which of them it is not known of.
    fn look_up(&self, ids: impl IntoIterator<Item = SchemaId>) -> (HashMap<SchemaId, Known>, Vec<SchemaId>) {
        let ids: BTreeSet<SchemaId> = ids.into_iter().collect();
        let (mut schemas, mut missing) = (HashMap::with_capacity(ids.len()), Vec::new());
        let (mut cache, now) = (self.cache(), self.clock.now());
        for id in ids {
            match cache.get(id, now) {
                Some(known) => drop(schemas.insert(id, known)),
                None => missing.push(id),
            }
        }
        (schemas, missing)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        // Nothing is half done in the cache when somebody dies.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each schema is remembered as soon as it came: when a later one fails, the next attempt asks for less.
    fn fetch(&self, id: SchemaId) -> Result<Known, Error> {
        let known = match self.client.schema(id)? {
            Ok(definition) => read(&self.client, &definition)?,
            Err(words) => Known::Missing(format!("the registry does not have it ({words})").into()),
        };
        self.cache().put(id, known.clone(), self.clock.now());
        Ok(known)
    }
}

/// A schema with everything that it builds on.
fn read(client: &Client, definition: &Definition) -> Result<Known, Error> {
    let mut gathered = Gathered { client, seen: HashSet::new(), texts: Vec::new() };
    if let Some(known) = gathered.gather(&definition.references)? {
        return Ok(known);
    }
    let references: Vec<(&str, &str)> = gathered.texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Ok(match Schema::parse(definition.format, &definition.text, &references) {
        Ok(schema) => Known::Readable(Arc::new(schema)),
        Err(why) => Known::Unusable(why.into()),
    })
}

/// What a schema builds on.
struct Gathered<'c> {
    client: &'c Client,
    seen: HashSet<Reference>,
    /// Names and texts, each after those that it builds on itself.
    texts: Vec<(String, String)>,
}

impl Gathered<'_> {
    /// None when all of them came, otherwise why the schema cannot be read.
    fn gather(&mut self, references: &[Reference]) -> Result<Option<Known>, Error> {
        for reference in references {
            if self.seen.contains(reference) {
                continue;
            }
            if self.seen.len() >= REFERENCES_MAX {
                return Ok(Some(Known::Unusable(format!("it builds on more than {REFERENCES_MAX} others").into())));
            }
            self.seen.insert(reference.clone());
            let Reference { name, subject, version } = reference;
            let definition = match self.client.version(subject, &version.to_string())? {
                Ok(definition) => definition,
                Err(words) => {
                    return Ok(Some(Known::Missing(
                        format!("it builds on version {version} of {subject}, and that is missing ({words})").into(),
                    )));
                }
            };
            if let Some(known) = self.gather(&definition.references)? {
                return Ok(Some(known));
            }
            self.texts.push((name.clone(), definition.text));
        }
        Ok(None)
    }
}

/// HTTP waits for its answer; a thread that may wait does that.
async fn blocking<T: Send + 'static>(ask: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let asked = tokio::task::spawn_blocking(ask).await;
    asked.unwrap_or_else(|error| Err(Error::Broken(format!("asking the schema registry did not come to its end: {error}"))))
}
