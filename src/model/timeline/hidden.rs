//! Messages that are hidden: those of ignored members, and of members banned with `hide_all`. They are kept beside the
//! rows, so that they can be shown again at once.

use std::collections::BTreeMap;

use super::{CHUNK_ROWS, Chunk, MAX_ROWS, Row, RowContent, RowKey, SaidRow, Timeline};
use crate::id::MemberId;

impl Timeline {
    /// Hides what a member said and will say, or shows it again. Returns false if it was so already.
    pub fn set_hidden(&mut self, member: MemberId, hidden: bool) -> bool {
        if hidden && self.hidden.insert(member) {
            self.hide(member);
            true
        } else if !hidden && self.hidden.remove(&member) {
            self.show(member);
            true
        } else {
            false
        }
    }

    /// Whether what a member says is hidden.
    pub fn is_hidden(&self, member: MemberId) -> bool {
        self.hidden.contains(&member)
    }

    /// Keeps messages aside; if they are too many, the newest.
    pub(super) fn withhold(&mut self, key: RowKey, said: SaidRow) {
        self.withheld.insert(key, said);
        if self.withheld.len() > MAX_ROWS
            && let Some((_, oldest)) = self.withheld.pop_first()
        {
            self.keys.remove(&oldest.message);
        }
    }

    /// Drops messages outside of the loaded rows. They are asked for again with the rows around them.
    pub(super) fn forget_withheld_outside(&mut self) {
        let (Some(first), Some(last)) = (self.first().map(|row| row.key), self.last().map(|row| row.key))
        else {
            return;
        };
        let outside = |key: &RowKey| (self.more_before && *key < first) || (self.more_after && *key > last);
        let (outside, kept): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.withheld)
            .into_iter()
            .partition(|(key, _)| outside(key));
        self.withheld = kept;
        for said in outside.values() {
            self.keys.remove(&said.message);
        }
    }

    fn hide(&mut self, member: MemberId) {
        let is_theirs = |row: &Row| row.said().is_some_and(|said| said.member == member);
        if !self.rows().any(is_theirs) {
            return;
        }
        let rows: Vec<Row> = std::mem::take(&mut self.chunks)
            .into_iter()
            .flat_map(|chunk| chunk.rows)
            .collect();
        let (theirs, others): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(is_theirs);
        for row in theirs {
            if let RowContent::Said(said) = row.content {
                self.discount_nick(&said);
                self.withhold(row.key, said);
            }
        }
        self.set_rows(others);
    }

    fn show(&mut self, member: MemberId) {
        let withheld = std::mem::take(&mut self.withheld);
        let (theirs, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            withheld.into_iter().partition(|(_, said)| said.member == member);
        self.withheld = others;
        for (key, mut said) in theirs {
            said.mentions_own = self.mentions_own(&said.text, said.own);
            self.count_nick(&said);
            self.insert_row(key, RowContent::Said(said));
        }
        self.set_read_mark(self.read_mark);
    }

    /// Replaces all rows by these, which are in order.
    fn set_rows(&mut self, rows: Vec<Row>) {
        self.len = rows.len();
        let mut rows = rows.into_iter();
        loop {
            let some: Vec<Row> = rows.by_ref().take(CHUNK_ROWS).collect();
            if some.is_empty() {
                break;
            }
            let id = self.next();
            self.chunks.push(Chunk {
                id,
                version: id,
                rows: some,
            });
        }
        self.next();
        self.index_chunks(0);
        for index in 0..self.len {
            self.refresh(index);
        }
        self.set_read_mark(self.read_mark);
    }
}
