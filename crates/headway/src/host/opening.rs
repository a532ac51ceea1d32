//! What a host opens before it is one: the folder and who holds it, the log, and into how many parts topics are divided.

use bytes::Bytes;
use io_folder::{Folder, FolderArtifacts, FolderCatalog};
use io_kafka::KafkaLog;
use io_log::EmbeddedLog;
use pipeline::Pipeline;
use ports::{Artifacts, Catalog, Clock};

use super::{Options, hold::Held};
use crate::{failure::Failure, parts::AnyLog};

/// Where the number of partitions is kept.
const PARTITIONS: &str = "host/partitions";

/// What is open.
pub(super) struct Opened {
    pub(super) log: AnyLog,
    /// What holds the folder if the log does not.
    pub(super) held: Option<Held>,
    pub(super) folder: Folder,
    /// As they were given, with servers that know the pipelines.
    pub(super) options: Options,
}

impl Opened {
    /// A log in the folder holds that, so it is opened first; a log on Kafka needs to know what the folder says of pipelines.
    pub(super) async fn open(options: Options, clock: &Clock) -> Result<Self, Failure> {
        let Some(_) = &options.servers.kafka else {
            let log = EmbeddedLog::open(io_log::Settings::new(options.folder.join("log")), clock.clone())?;
            let folder = open_folder(&options)?;
            return Ok(Self { log: AnyLog::Embedded(log), held: None, folder, options });
        };
        let held = Held::take(&options.folder)?;
        let folder = open_folder(&options)?;
        let pipelines = pipelines(&options, &folder.catalog()).await?;
        let servers = options.servers.clone().reading(&pipelines)?;
        let settings = servers.kafka.clone().ok_or_else(|| Failure::failed("no brokers are named: name some by --kafka"))?;
        let log = KafkaLog::open(settings, clock.clone()).map_err(ports::Error::from)?;
        Ok(Self { log: AnyLog::Kafka(log), held: Some(held), folder, options: Options { servers, ..options } })
    }
}

fn open_folder(options: &Options) -> Result<Folder, Failure> {
    let folder = match (&options.shared, &options.replica) {
        (Some(shared), Some(replica)) => Folder::open_among(shared, replica),
        _ => Folder::open(&options.folder),
    };
    Ok(folder.map_err(ports::Error::from)?)
}

/// Every spec that may be read for: those in the folders of pipelines, and those that were deployed and still run.
async fn pipelines(options: &Options, catalog: &FolderCatalog) -> Result<Vec<Pipeline>, Failure> {
    let mut pipelines = Vec::new();
    for folder in &options.pipelines {
        pipelines.push(pipeline::load(folder)?);
    }
    let named: Vec<String> = pipelines.iter().map(|pipeline| pipeline.id.clone()).collect();
    for id in catalog.pipelines().await? {
        if !named.is_empty() && !named.contains(&id) {
            continue;
        }
        let deployment = catalog.deployment(&id).await?;
        for built in deployment.iter().flat_map(|deployment| &deployment.generations) {
            pipelines.push(pipeline::parse(&id, &built.spec)?);
        }
    }
    Ok(pipelines)
}

/// Into how many parts the topics of a folder are divided: as many as at the first start, and then as many as are wanted.
pub(crate) async fn partitions(artifacts: &FolderArtifacts, wanted: Option<u32>, default: u32) -> Result<u32, Failure> {
    let partitions = known_partitions(artifacts, wanted, default).await?;
    if artifacts.get(PARTITIONS).await?.is_none() {
        artifacts.put(PARTITIONS, Bytes::from(partitions.to_string())).await?;
    }
    Ok(partitions)
}

/// The same for somebody who only looks.
pub(crate) async fn known_partitions(artifacts: &FolderArtifacts, wanted: Option<u32>, default: u32) -> Result<u32, Failure> {
    let there = artifacts.get(PARTITIONS).await?;
    let there = there.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.trim().parse::<u32>().ok());
    match (there, wanted) {
        (Some(there), Some(wanted)) if there != wanted => Err(Failure::failed(format!(
            "the topics here have {there} partitions, not {wanted}: leave out --partitions, or begin another folder."
        ))),
        (Some(there), _) => Ok(there),
        (None, wanted) => Ok(wanted.unwrap_or(default)),
    }
}

/// What to say of a write that a power cut tore.
pub(super) fn torn(log: &AnyLog) -> Option<String> {
    let AnyLog::Embedded(log) = log else { return None };
    let torn = log.recovered().torn.as_ref()?;
    Some(format!("The last write before the stop was cut short and is put aside: {torn:?}. Nothing acknowledged was in it."))
}
