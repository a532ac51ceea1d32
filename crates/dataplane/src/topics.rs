//! The names of a pipeline's topics, and which sources read which.

use std::sync::Arc;

use domain::Span;
use pipeline::{Pipeline, SourceKind};
use ports::TopicSpec;

use crate::scorer::{CLOCKS_APART_MAX, Rules};

/// What a learner that stood still takes up afterwards. Whatever is older weighs nothing in a corrector, and little in a calibration.
const LESSONS_KEPT: Span = Span(7 * 86_400_000);
/// The last record says all. Some before it are kept for whoever looks for a number that was applied: an hour of large ones, or weeks
/// of those of a small city.
const ADJUSTMENTS_BYTES_MAX: u64 = 64 << 20;

/// The names of one pipeline's topics.
#[derive(Clone, Debug)]
pub struct Topics {
    prefix: String,
    /// Topics of events, in order of name, each with the sources that read it.
    inputs: Vec<(Arc<str>, Vec<usize>)>,
    /// Topics of absences.
    absences: Vec<Arc<str>>,
}

impl Topics {
    /// What the names of all topics of a pipeline begin with, by its id.
    pub fn prefix(pipeline: &str) -> String {
        format!("headway.{pipeline}.")
    }

    /// The topics of a pipeline.
    pub fn new(pipeline: &Pipeline) -> Self {
        let prefix = Self::prefix(&pipeline.id);
        let mut inputs: Vec<(Arc<str>, Vec<usize>)> = Vec::new();
        for (source, declared) in pipeline.sources.iter().enumerate() {
            let SourceKind::Stream(stream) = &declared.kind else { continue };
            let name = format!("{prefix}{}", stream.topic);
            match inputs.iter_mut().find(|(other, _)| **other == *name) {
                Some((_, sources)) => sources.push(source),
                None => inputs.push((name.into(), vec![source])),
            }
        }
        inputs.sort();
        let told = pipeline.sources.iter().filter_map(|source| match &source.kind {
            SourceKind::Absence(absence) => Some(format!("{prefix}{}", absence.topic.as_ref()?).into()),
            _ => None,
        });
        let mut absences: Vec<Arc<str>> = told.collect();
        absences.sort();
        absences.dedup();
        Self { prefix, inputs, absences }
    }

    /// Topics of events with the sources that read them.
    pub fn inputs(&self) -> &[(Arc<str>, Vec<usize>)] {
        &self.inputs
    }

    /// The full name of a topic that the pipeline declares.
    pub fn input(&self, declared: &str) -> String {
        format!("{}{declared}", self.prefix)
    }

    /// Blocks of partials between the partitions of one generation.
    pub fn partials(&self, generation: u32) -> Arc<str> {
        format!("{}partials.{generation}", self.prefix).into()
    }

    /// Records that could not be taken, with the reason.
    pub fn dead_letters(&self) -> Arc<str> {
        format!("{}dead-letters", self.prefix).into()
    }

    /// Events that came too late, and parts of events that found no place.
    pub fn late(&self) -> Arc<str> {
        format!("{}late", self.prefix).into()
    }

    /// Predictions, one for each trigger.
    pub fn predictions(&self) -> Arc<str> {
        format!("{}eta", self.prefix).into()
    }

    /// What challengers would have said in the place of predictions.
    pub fn shadow(&self) -> Arc<str> {
        format!("{}shadow", self.prefix).into()
    }

    /// The rows that predictions were made of.
    pub fn feature_log(&self) -> Arc<str> {
        format!("{}feature-log", self.prefix).into()
    }

    /// What is known of the cases that are predicted: each change of one, under its key.
    pub fn cases(&self) -> Arc<str> {
        format!("{}cases", self.prefix).into()
    }

    /// What became of each prediction, and of each hour of them.
    pub fn outcomes(&self) -> Arc<str> {
        format!("{}outcomes", self.prefix).into()
    }

    /// What outcomes teach, in one partition: the one order in which it is learned.
    pub fn lessons(&self) -> Arc<str> {
        format!("{}lessons", self.prefix).into()
    }

    /// What was learned, in one partition; the last record says all of it.
    pub fn adjustments(&self) -> Arc<str> {
        format!("{}adjustments", self.prefix).into()
    }

    /// The group that joins predictions with what became of them.
    pub fn outcomes_group(&self) -> String {
        format!("{}outcomes", self.prefix)
    }

    /// The group that learns from outcomes: one of its members does.
    pub fn tuner_group(&self) -> String {
        format!("{}tuner", self.prefix)
    }

    /// The group that writes what was predicted, and what became of it, to the warehouse.
    pub fn warehouse_group(&self) -> String {
        format!("{}warehouse", self.prefix)
    }

    /// The group that makes predictions.
    pub fn scorer_group(&self) -> String {
        format!("{}scorer", self.prefix)
    }

    /// The group in which one process follows what is predicted.
    pub fn api_group(&self, process: &str) -> String {
        format!("{}api.{process}", self.prefix)
    }

    /// The group that makes the features of one generation.
    pub fn features_group(&self, generation: u32) -> String {
        format!("{}features.{generation}", self.prefix)
    }

    /// The topics of what is predicted and of what becomes of it, where something is predicted.
    ///
    /// A case that was open when its workers stopped is read back from the topic of cases when they go on, from as long ago as a case
    /// can last before that. They can go on for as long as the log has the events that came meanwhile: so changes of cases are kept
    /// that much longer than events, and no open case is lost as long as no event is.
    pub fn case_specs(&self, pipeline: &Pipeline, partitions: u32, retention: Span) -> Vec<TopicSpec> {
        let Some(rules) = Rules::new(pipeline) else { return Vec::new() };
        let lasts = Span(rules.lasts_at_most().0 + CLOCKS_APART_MAX.0);
        let spec = |name, retention| TopicSpec { name, partitions, retention: Some(retention), retention_bytes: None };
        let mut specs = vec![
            spec(self.predictions(), retention),
            spec(self.shadow(), retention),
            spec(self.feature_log(), retention),
            spec(self.cases(), Span(retention.0 + lasts.0)),
            spec(self.outcomes(), retention),
        ];
        if rules.case().learns() {
            let one = |name| TopicSpec { name, partitions: 1, retention: None, retention_bytes: None };
            specs.push(TopicSpec { retention: Some(retention.min(LESSONS_KEPT)), ..one(self.lessons()) });
            specs.push(TopicSpec { retention_bytes: Some(ADJUSTMENTS_BYTES_MAX), ..one(self.adjustments()) });
        }
        specs
    }

    /// All topics that the feature role needs, as they should be when they are created.
    pub fn specs(&self, generation: u32, partitions: u32, retention: Span) -> Vec<TopicSpec> {
        let own = [self.partials(generation), self.dead_letters(), self.late()];
        let names = self.inputs.iter().map(|(name, _)| name.clone()).chain(self.absences.iter().cloned()).chain(own);
        let spec = |name| TopicSpec { name, partitions, retention: Some(retention), retention_bytes: None };
        names.map(spec).collect()
    }
}
