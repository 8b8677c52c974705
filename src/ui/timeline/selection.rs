//! Selecting whole messages, over any distance. The ends are kept as row keys, so that rows in between need not be in sight.

use crate::model::{Row, RowKey, Timeline};

/// From one row to another, both of them in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Selection {
    /// Where selecting began.
    pub(super) from: RowKey,
    /// Where it is now.
    pub(super) to: RowKey,
}

impl Selection {
    /// One row.
    pub(super) fn of(row: RowKey) -> Self {
        Self { from: row, to: row }
    }

    /// Every row there is; none if there is no row.
    pub(super) fn all(timeline: &Timeline) -> Option<Self> {
        Some(Self {
            from: timeline.rows().next()?.key,
            to: timeline.rows().next_back()?.key,
        })
    }

    pub(super) fn contains(&self, row: RowKey) -> bool {
        (self.from.min(self.to)..=self.from.max(self.to)).contains(&row)
    }

    /// The selected rows as lines of text.
    pub(super) fn text(&self, timeline: &Timeline) -> String {
        let (first, last) = (self.from.min(self.to), self.from.max(self.to));
        let rows = timeline
            .rows_from(timeline.index_at(first))
            .take_while(|row| row.key <= last);
        rows.map(Row::copied).collect::<Vec<_>>().join("\n")
    }
}
