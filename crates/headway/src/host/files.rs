//! File tables of a pipeline: read from its folder once, and kept where the workers find them as they were then.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use pipeline::{Pipeline, SourceKind};
use ports::Artifacts;

use super::Host;
use crate::failure::Failure;

/// The file tables of a pipeline as its folder has them now, by the place of their source.
pub(super) fn read_files(folder: &Path, pipeline: &Pipeline) -> Result<Vec<(usize, Arc<str>)>, Failure> {
    let mut files = Vec::new();
    for (place, source) in pipeline.sources.iter().enumerate() {
        if let SourceKind::File { path, .. } = &source.kind {
            let file = folder.join(path);
            let bytes = std::fs::read(&file).map_err(|error| Failure::reading(&file, &error))?;
            files.push((place, String::from_utf8_lossy(&bytes).into()));
        }
    }
    Ok(files)
}

/// Keeps file tables that were read.
pub(super) async fn keep_files(host: &Host, pipeline: &Pipeline, files: &[(usize, Arc<str>)]) -> Result<(), Failure> {
    for (place, text) in files {
        let name = name(pipeline, *place);
        host.parts.artifacts.put(&name, Bytes::copy_from_slice(text.as_bytes())).await?;
    }
    Ok(())
}

/// The file tables of a pipeline, as they were when it was deployed.
pub(super) async fn kept_files(host: &Host, pipeline: &Pipeline) -> Result<Vec<(usize, Arc<str>)>, Failure> {
    let mut files = Vec::new();
    for (place, source) in pipeline.sources.iter().enumerate() {
        if let SourceKind::File { .. } = source.kind {
            let text = host.parts.artifacts.get(&name(pipeline, place)).await?.unwrap_or_default();
            files.push((place, String::from_utf8_lossy(&text).into()));
        }
    }
    Ok(files)
}

fn name(pipeline: &Pipeline, source: usize) -> String {
    format!("files/{}/{}", pipeline.id, pipeline.sources[source].name)
}
