//! From records to groups: each stream is decoded and admitted, what is derived of it follows, and the groups take what is theirs.
//!
//! Writes no vector: what was touched is written at the end of the step.

use domain::Timestamp;
use pipeline::SourceKind;

use super::{Engine, Record, block, stream};
use crate::{
    Error, Reason,
    columns::Columns,
    derive::{Horizon, Rows},
    group::AHEAD,
    output::{Dropped, Output, Refused},
    ring::Ring,
    steps::Step,
    tiling::Prepared,
};

impl Engine {
    pub(super) fn collect(&mut self, blocks: &[&[u8]], records: &[Record<'_>], now: Timestamp) -> (Output, Vec<(usize, Error)>) {
        let (mut out, mut faults) = (Output::default(), Vec::new());
        for (place, block) in blocks.iter().enumerate() {
            match self.take_block(block, now) {
                Ok(more) => out.take_over(more),
                Err(fault) => faults.push((place, fault)),
            }
        }
        out.take_over(self.take(records, now));
        (out, faults)
    }

    pub(super) fn take(&mut self, records: &[Record<'_>], now: Timestamp) -> Output {
        let mut out = Output::default();
        self.now = self.now.max(now.0);
        self.position += records.len() as u64;
        for source in 0..self.streams.len() {
            self.take_stream(source, records, &mut out);
        }
        out
    }

    fn take_stream(&mut self, source: usize, records: &[Record<'_>], out: &mut Output) {
        let Some(mut stream) = self.streams[source].take() else { return };
        let newest = records.iter().filter(|record| record.source == source).map(|record| record.append_at.0).max();
        if !self.admits_all {
            self.heard[source] = self.heard[source].max(newest);
        }
        let visible = self.now.min(self.stands_still_at(source));
        let settled = stream.oldest();
        let rows = stream.take(source, records, visible, self.admits_all, &mut self.steps, &mut out.refused);
        let horizon = Horizon { settled, oldest: stream.oldest(), now: visible };
        if !rows.is_empty() {
            self.tile_groups(source, &stream.columns, &rows, settled, out);
        }
        for place in 0..self.derived.len() {
            let derived = self.derived[place].source;
            if self.pipeline.base_of(derived) == Some(source) {
                self.steps.begin();
                let fields = &self.pipeline.sources[derived].fields;
                let mut changed = Rows::new(Columns::new(fields, &self.used[derived]));
                self.derived[place].step(&self.pipeline.sources[source], &stream.columns, &rows, horizon, &mut changed);
                self.steps.end(Step::Derive);
                self.apply_rows(derived, &changed, settled, out);
                out.absences.append(&mut changed.absences);
            }
        }
        // Only now: what this batch brought may be as old as the one before allowed.
        self.oldest[source][self.config.shard as usize] = Some(stream.oldest()).filter(|oldest| *oldest > i64::MIN);
        self.streams[source] = Some(stream);
    }

    /// `settled` is the oldest event that this step may have brought.
    fn tile_groups(&mut self, source: usize, columns: &Columns, rows: &[u32], settled: i64, out: &mut Output) {
        let fields = &self.pipeline.sources[source].fields;
        let said = self.said(source, settled);
        for state in self.groups.iter_mut().filter(|state| state.layout.group.source == source) {
            self.steps.begin();
            let prepared = Prepared::new(&state.layout, fields, columns, rows);
            let tiled = prepared.tile(&state.layout, columns);
            self.steps.end(Step::Tile);
            let mut remote = block::Outgoing::new(self.config, state, said);
            let found = state.find_all(prepared.keys.iter());
            let (words, sketches) = (state.layout.words + state.layout.always_words, state.layout.sketched.len());
            for (at, (place, tile, latest)) in tiled.heads.iter().copied().enumerate() {
                if at.is_multiple_of(AHEAD) {
                    let next = tiled.heads[at..].iter().take(AHEAD).filter_map(|(place, ..)| found[*place as usize]);
                    state.look_ahead(next, Ring::newest_tile);
                }
                let key = (prepared.keys.hash(place), prepared.keys.text(place));
                let words = &tiled.words[at * words..(at + 1) * words];
                let sketches = &tiled.sketches[at * sketches..(at + 1) * sketches];
                if remote.is_mine(key.1) {
                    let taken = state.merge(found[place as usize], key, (tile, latest), words, sketches);
                    note(taken, state.index, key.1, &mut out.dropped);
                } else {
                    remote.partial(key.1, (tile, latest), words, sketches);
                }
            }
            out.blocks.extend(remote.blocks());
            self.steps.end(Step::Roll);
        }
    }

    fn apply_rows(&mut self, source: usize, changed: &Rows, settled: i64, out: &mut Output) {
        if changed.weights.is_empty() {
            return;
        }
        let fields = &self.pipeline.sources[source].fields;
        let all: Vec<u32> = (0..changed.weights.len() as u32).collect();
        let base = self.pipeline.base_of(source);
        let (said, sealed) = (self.said(base.unwrap_or(source), settled), self.sealed(source));
        for state in self.groups.iter_mut().filter(|state| state.layout.group.source == source) {
            self.steps.begin();
            let prepared = Prepared::new(&state.layout, fields, &changed.columns, &all);
            self.steps.end(Step::Tile);
            let mut remote = block::Outgoing::new(self.config, state, said);
            for at in 0..prepared.rows.len() {
                let place = prepared.key_of[at];
                let key = (prepared.keys.hash(place), prepared.keys.text(place));
                let weight = changed.weights[prepared.rows[at] as usize];
                let row = prepared.row(&changed.columns, at);
                if remote.is_mine(key.1) {
                    note(state.apply(key, &row, weight, sealed), state.index, key.1, &mut out.dropped);
                } else if base.is_some() {
                    // Every shard loads a file by itself.
                    remote.row(key.1, &row, weight);
                }
            }
            out.blocks.extend(remote.blocks());
            self.steps.end(Step::Roll);
        }
    }

    pub(super) fn take_file(&mut self, source: usize, lines: &str, now: Timestamp) -> Output {
        let mut out = Output::default();
        self.now = self.now.max(now.0);
        let mut columns = Columns::new(&self.pipeline.sources[source].fields, &self.used[source]);
        let SourceKind::File { key, .. } = self.pipeline.sources[source].kind else { return out };
        let decoded = stream::decode_file(&self.pipeline.sources[source], key, lines, &mut columns);
        out.refused.extend(decoded.refused.into_iter().map(|(line, reason)| Refused { source, offset: line, reason }));
        for state in self.groups.iter_mut().filter(|state| state.layout.group.source == source) {
            state.forget_rows();
        }
        let rows = Rows { weights: vec![1; columns.len()], ..Rows::new(columns) };
        self.apply_rows(source, &rows, i64::MIN, &mut out);
        out
    }
}

pub(super) fn note(taken: Result<(), Reason>, group: usize, key: &str, dropped: &mut Vec<Dropped>) {
    if let Err(reason) = taken {
        dropped.push(Dropped { group, key: key.to_owned(), reason });
    }
}
