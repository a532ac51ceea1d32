//! Features as they were at given instants, over files: the rows that models are trained on.
//!
//! The spine says which entities and instants are asked for; the answer has its rows in the same order, with every feature
//! column and transform added. Memory is bounded by the engine's state, the spine with its values, and in mode `complete` the
//! events of one lateness.

mod csv;
mod output;
mod parquet_output;
mod reorder;
mod spine;
pub(crate) mod table;

use std::{ops::Range, path::PathBuf, sync::Arc};

use domain::{Timestamp, Value};
use pipeline::Pipeline;

pub use self::table::Preview;
use self::{
    output::Output,
    reorder::Reorder,
    spine::{Spine, SpineEntity},
    table::{Columns, cell},
};
use crate::{
    Error, Progress,
    feed::{Counts, Feed},
    history::History,
};

/// Rows that are turned into output at once: transforms are computed column by column, which pays from a few thousand on.
const OUTPUT_ROWS: usize = 16_384;
/// Events between two signs of progress.
const PROGRESS_EVENTS: u64 = 4096;

/// Which events an instant T may know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those that had arrived before T: what was served at T.
    Available,
    /// All that were not too late, whenever they arrived: what the stream says once the lateness has passed.
    Complete,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The features.
    pub pipeline: Arc<Pipeline>,
    /// Where the pipeline's files are.
    pub folder: PathBuf,
    /// The history.
    pub events: Vec<PathBuf>,
    /// Which entities, and when.
    pub spine: PathBuf,
    /// Which events count.
    pub mode: Mode,
    /// Where the rows go.
    pub out: PathBuf,
    /// How many rows the report shows.
    pub show: usize,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Records, and which were refused.
    pub counts: Counts,
    /// Rows written.
    pub rows: usize,
    /// Columns written, those of the spine included.
    pub columns: usize,
    /// The first rows.
    pub preview: Preview,
}

/// Computes the features of every row of the spine and writes them.
pub fn backfill(request: &Request, progress: &dyn Progress) -> Result<Report, Error> {
    let spine = Spine::read(&request.spine, &request.pipeline)?;
    let history = History::open(&request.pipeline, &request.events)?;
    // Before the work begins rather than after it, in case that the output cannot be written.
    let columns = Columns::new(&spine, &request.pipeline);
    let mut output = Output::create(&request.out, &columns)?;
    progress.begin("reading events", history.bytes_total());
    let mut walk =
        Walk { history, spine: &spine, request, progress, values: Values::new(&request.pipeline, spine.rows.len()), read: 0 };
    let counts = match request.mode {
        Mode::Available => walk.available()?,
        Mode::Complete => walk.complete()?,
    };
    let values = walk.values;
    progress.end();
    progress.begin("writing rows", spine.rows.len() as u64);
    let mut preview = Preview::new(&columns, request.show);
    for start in (0..spine.rows.len()).step_by(OUTPUT_ROWS) {
        let rows = values.rows(&request.pipeline, &spine, start..spine.rows.len().min(start + OUTPUT_ROWS));
        preview.take(&rows);
        output.write(&rows)?;
        progress.at((start + rows.len()) as u64);
    }
    output.finish()?;
    progress.end();
    Ok(Report { counts, rows: spine.rows.len(), columns: columns.len(), preview })
}

/// The way through the history, from one instant of the spine to the next.
struct Walk<'a> {
    history: History,
    spine: &'a Spine,
    request: &'a Request,
    progress: &'a dyn Progress,
    values: Values,
    read: u64,
}

impl Walk<'_> {
    fn available(&mut self) -> Result<Counts, Error> {
        let mut feed = Feed::new(&self.request.pipeline, &self.request.folder)?;
        for (at, rows) in self.spine.instants() {
            while let Some(event) = self.history.next_before(at) {
                feed.push(event?);
                self.show_progress();
            }
            feed.settle(at);
            self.answer(&feed, &rows);
        }
        Ok(feed.counts().clone())
    }

    fn complete(&mut self) -> Result<Counts, Error> {
        let mut feed = Feed::admitted(&self.request.pipeline, &self.request.folder)?;
        let mut reorder = Reorder::new(&self.request.pipeline);
        for (at, rows) in self.spine.instants() {
            while reorder.complete_before() < at {
                let Some(event) = self.history.next() else { break };
                reorder.take(event?);
                // Only what no later record can come before; that keeps the buffer as small as the lateness allows.
                self.release(&mut reorder, at, &mut feed);
                self.show_progress();
            }
            // Either nothing earlier than this instant can come, or nothing comes at all.
            while let Some(event) = reorder.release(at) {
                feed.push(event);
            }
            feed.settle(at);
            self.answer(&feed, &rows);
        }
        let mut counts = reorder.into_counts();
        counts.dropped.clone_from(&feed.counts().dropped);
        Ok(counts)
    }

    fn release(&self, reorder: &mut Reorder, at: Timestamp, feed: &mut Feed) {
        let safe = reorder.complete_before().min(at);
        while let Some(event) = reorder.release(safe) {
            feed.push(event);
        }
    }

    fn answer(&mut self, feed: &Feed, rows: &[usize]) {
        for row in rows {
            for SpineEntity { column, groups } in &self.spine.entities {
                let Some(key) = self.spine.key(*row, *column) else { continue };
                for group in groups {
                    self.values.set(*group, *row, &feed.values(*group, &key).0);
                }
            }
        }
    }

    fn show_progress(&mut self) {
        self.read += 1;
        if self.read.is_multiple_of(PROGRESS_EVENTS) {
            self.progress.at(self.history.bytes_read());
        }
    }
}

/// The values of all groups, column by column.
struct Values {
    columns: Vec<Vec<Option<Value>>>,
    /// The first column of each group.
    first: Vec<usize>,
}

impl Values {
    fn new(pipeline: &Pipeline, rows: usize) -> Self {
        let (mut first, mut width) = (Vec::new(), 0);
        for group in &pipeline.groups {
            first.push(width);
            width += group.columns().len();
        }
        Self { columns: vec![vec![None; rows]; width], first }
    }

    fn set(&mut self, group: usize, row: usize, values: &[Option<Value>]) {
        for (column, value) in self.columns[self.first[group]..].iter_mut().zip(values) {
            column[row] = *value;
        }
    }

    /// Some rows as they are written: spine, features, transforms.
    fn rows(&self, pipeline: &Pipeline, spine: &Spine, range: Range<usize>) -> Vec<Vec<serde_json::Value>> {
        let features: Vec<Vec<Option<Value>>> = self.columns.iter().map(|column| column[range.clone()].to_vec()).collect();
        let transforms = features::transforms(pipeline, &features);
        let kinds = pipeline.row_columns();
        let row = |(at, row): (usize, usize)| {
            let values = features.iter().chain(&transforms).map(|column| column[at]);
            let values = values.zip(&kinds).map(|(value, (_, kind))| cell(value, kind));
            spine.cells(row).chain(values).collect()
        };
        range.enumerate().map(row).collect()
    }
}

#[cfg(test)]
mod tests;
