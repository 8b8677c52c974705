//! Heights of rows for a virtualised list: 100,000 rows scroll while only those in sight are laid out. Rows that were laid out
//! have a measured height, the others an estimated one. Sums are kept by the timeline's chunks, so a frame adds up some
//! hundred numbers, however many rows there are.
//!
//! Estimates decide where the scroll bar stands and nothing else: rows in sight are always measured, and are placed
//! from the reader's anchor, so a wrong estimate moves no text.

use std::collections::{HashMap, HashSet};

use crate::model::{Chunk, Row, RowContent, RowId, Timeline};
use crate::ui::theme::size;

/// The mean width of a character of body text in points: of English, measured in Inter 14.
const CHARACTER_WIDTH: f32 = 7.0;

/// What a row takes: what stands above its words (day, "new" line, nick), and the words.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct RowHeight {
    /// From the row's top to its words.
    pub(super) above: f32,
    /// The words, and what stands below them.
    pub(super) body: f32,
}

impl RowHeight {
    pub(super) fn total(self) -> f32 {
        self.above + self.body
    }
}

/// The heights of a timeline's rows, measured or estimated.
#[derive(Debug, Default)]
pub(super) struct Heights {
    text_width: f32,
    /// Heights as last measured, perhaps at another width: still a better guess than none. Only looked up.
    measured: HashMap<RowId, f32>,
    /// The sum of each of the timeline's chunks, in its order.
    sums: Vec<ChunkSum>,
    total: f64,
    timeline_version: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct ChunkSum {
    chunk: u64,
    version: u64,
    height: f64,
}

impl Heights {
    /// Notes what has changed in the timeline since the last call. Chunks that have not changed cost no more than a look.
    pub(super) fn follow(&mut self, timeline: &Timeline, text_width: f32) {
        self.text_width = text_width;
        if self.timeline_version == Some(timeline.version()) {
            return;
        }
        self.timeline_version = Some(timeline.version());
        let known: HashMap<u64, ChunkSum> = self.sums.iter().map(|sum| (sum.chunk, *sum)).collect();
        self.sums = timeline
            .chunks()
            .iter()
            .map(|chunk| match known.get(&chunk.id) {
                Some(sum) if sum.version == chunk.version => *sum,
                _ => ChunkSum {
                    chunk: chunk.id,
                    version: chunk.version,
                    height: self.sum(chunk),
                },
            })
            .collect();
        self.total = self.sums.iter().map(|sum| sum.height).sum();
        self.forget_dropped(timeline);
    }

    /// All rows together.
    pub(super) fn total(&self) -> f64 {
        self.total
    }

    /// How far the top of a row is from the top of the first one.
    pub(super) fn top_of(&self, timeline: &Timeline, index: usize) -> f64 {
        let mut top = 0.0;
        for (at, (sum, chunk)) in self.sums.iter().zip(timeline.chunks()).enumerate() {
            let start = timeline.chunk_start(at);
            if index < start + chunk.rows().len() {
                return top
                    + chunk.rows()[..index - start]
                        .iter()
                        .map(|row| f64::from(self.of(row)))
                        .sum::<f64>();
            }
            top += sum.height;
        }
        top
    }

    /// The row at a distance from the top of the first one, and how far into it that is. Beyond the last row: the
    /// last.
    pub(super) fn row_at(&self, timeline: &Timeline, distance: f64) -> (usize, f32) {
        let mut left = distance.max(0.0);
        for (at, (sum, chunk)) in self.sums.iter().zip(timeline.chunks()).enumerate() {
            if left >= sum.height {
                left -= sum.height;
                continue;
            }
            for (offset, row) in chunk.rows().iter().enumerate() {
                let height = self.of(row);
                if left < f64::from(height) {
                    return (timeline.chunk_start(at) + offset, left as f32);
                }
                left -= f64::from(height);
            }
        }
        (timeline.len().saturating_sub(1), 0.0)
    }

    /// A row was laid out.
    pub(super) fn record(&mut self, timeline: &Timeline, index: usize, height: f32) {
        let Some(row) = timeline.row(index) else { return };
        let difference = f64::from(height) - f64::from(self.of(row));
        self.measured.insert(row.id, height);
        let (chunk, _) = timeline.locate(index);
        if let Some(sum) = self.sums.get_mut(chunk) {
            sum.height += difference;
            self.total += difference;
        }
    }

    fn sum(&self, chunk: &Chunk) -> f64 {
        chunk.rows().iter().map(|row| f64::from(self.of(row))).sum()
    }

    fn of(&self, row: &Row) -> f32 {
        self.measured
            .get(&row.id)
            .copied()
            .unwrap_or_else(|| self.estimate(row))
    }

    fn estimate(&self, row: &Row) -> f32 {
        let text = match &row.content {
            RowContent::Said(said) => &said.text,
            RowContent::Notice(text) => text,
        };
        // Bytes stand for characters: counting those of 100,000 rows would be felt.
        let width = text.len() as f32 * CHARACTER_WIDTH;
        let lines = (width / self.text_width.max(CHARACTER_WIDTH)).ceil().max(1.0);
        let above = f32::from(u8::from(row.starts_day)) * 40.0 + f32::from(u8::from(row.starts_group)) * 32.0;
        above + lines * size::BODY_LINE + size::GRID
    }

    /// Drops heights of rows that the timeline has dropped, once they are many.
    fn forget_dropped(&mut self, timeline: &Timeline) {
        if self.measured.len() > 2 * timeline.len() + 1_000 {
            let there: HashSet<RowId> = timeline.rows().map(|row| row.id).collect();
            self.measured.retain(|row, _| there.contains(row));
        }
    }
}
