//! What a scorer is there for, and where it is.

use std::sync::Arc;

use features::CaseReading;
use pipeline::Pipeline;

use crate::Topics;

/// The cases of one pipeline.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is predicted, and from what.
    pub pipeline: Arc<Pipeline>,
    /// Names of topics.
    pub topics: Topics,
}

impl Plan {
    /// Of a pipeline; none when it predicts nothing.
    pub fn new(pipeline: &Pipeline) -> Option<Self> {
        pipeline.case.as_ref()?;
        Some(Self { pipeline: Arc::new(pipeline.clone()), topics: Topics::new(pipeline) })
    }

    /// The topics that tell of cases.
    pub fn reads(&self) -> Vec<Arc<str>> {
        let sources = CaseReading::new(self.pipeline.clone()).map_or(Vec::new(), |reading| reading.sources());
        self.tells(&sources).into_iter().map(|(topic, _)| topic).collect()
    }

    /// Topics of events with those of these sources that read them, where there are any.
    pub(super) fn tells(&self, sources: &[usize]) -> Vec<(Arc<str>, Vec<usize>)> {
        let of = |(topic, read): &(Arc<str>, Vec<usize>)| {
            let read: Vec<usize> = read.iter().copied().filter(|source| sources.contains(source)).collect();
            (!read.is_empty()).then(|| (topic.clone(), read))
        };
        self.topics.inputs().iter().filter_map(of).collect()
    }
}
