//! Placing the rows in sight. The reader is either at the end, or at an anchor: a row, and how far below the top of the view
//! its text begins. From there rows are placed downwards and upwards until the view is full, each with its measured height.
//! So the text that is being read stays where it is, whatever comes above or below the anchor or turns out higher.

use std::collections::VecDeque;

use super::heights::RowHeight;

/// A row in sight. Distances are in points from the top of the view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placed {
    /// Its index in the timeline.
    pub(super) index: usize,
    /// Where it begins, with what stands above its words.
    pub(super) top: f32,
    /// How high it is.
    pub(super) height: RowHeight,
}

impl Placed {
    pub(super) fn bottom(&self) -> f32 {
        self.top + self.height.total()
    }

    /// Where its words begin.
    pub(super) fn body_top(&self) -> f32 {
        self.top + self.height.above
    }
}

/// What is being looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// The last row stands at the bottom of the view.
    End,
    /// The words of a row begin at this distance from the top of the view.
    At {
        /// The row's index in the timeline.
        index: usize,
        /// Points below the top of the view; negative: above it.
        body_top: f32,
    },
}

/// What does not depend on the reader: the view and what frames the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// The height of the view.
    pub(super) height: f32,
    /// How many rows there are.
    pub(super) rows: usize,
    /// Room above the first row.
    pub(super) head: f32,
    /// Room below the last row.
    pub(super) foot: f32,
}

/// Rows as they stand, the oldest first, without gaps.
#[derive(Debug, Default)]
pub(super) struct Placement {
    pub(super) rows: VecDeque<Placed>,
    /// Whether the last row stands above the bottom of the view, or just at it.
    pub(super) at_end: bool,
}

/// Places rows, asking `measure` for the height of those in sight and of no others. A position beyond the first or the last
/// row is moved so that the view is full; if there are too few rows for that, they are at its bottom.
pub(super) fn place(place: Place, frame: Frame, mut measure: impl FnMut(usize) -> RowHeight) -> Placement {
    let mut placement = Placement {
        rows: VecDeque::new(),
        at_end: true,
    };
    if frame.rows == 0 {
        return placement;
    }
    let end = frame.height - frame.foot;
    let (index, at_end) = match place {
        Place::End => (frame.rows - 1, true),
        Place::At { index, .. } => (index.min(frame.rows - 1), false),
    };
    let height = measure(index);
    let top = match place {
        Place::At { body_top, .. } if !at_end => body_top - height.above,
        _ => end - height.total(),
    };
    placement.rows.push_back(Placed { index, top, height });

    placement.fill_down(frame, &mut measure);
    placement.pull_to_end(frame);
    placement.fill_up(&mut measure);
    // The first row may be too low now: then everything moves up, unless that would lift the last row off its end.
    let first = placement.rows[0];
    if first.index == 0 && first.top > frame.head {
        placement.shift(frame.head - first.top);
        placement.fill_down(frame, &mut measure);
        placement.pull_to_end(frame);
    }
    let in_sight = |row: &Placed| row.bottom() > 0.0 && row.top < frame.height;
    if placement.rows.iter().any(in_sight) {
        placement.rows.retain(in_sight);
    }
    let last = placement.rows[placement.rows.len() - 1];
    // Half a point: rounding must not let go of the end.
    placement.at_end = last.index + 1 == frame.rows && last.bottom() <= end + 0.5;
    placement
}

impl Placement {
    fn fill_down(&mut self, frame: Frame, measure: &mut impl FnMut(usize) -> RowHeight) {
        while let Some(last) = self.rows.back().copied()
            && last.bottom() < frame.height
            && last.index + 1 < frame.rows
        {
            let index = last.index + 1;
            self.rows.push_back(Placed {
                index,
                top: last.bottom(),
                height: measure(index),
            });
        }
    }

    fn fill_up(&mut self, measure: &mut impl FnMut(usize) -> RowHeight) {
        while let Some(first) = self.rows.front().copied()
            && first.top > 0.0
            && first.index > 0
        {
            let (index, height) = (first.index - 1, measure(first.index - 1));
            self.rows.push_front(Placed {
                index,
                top: first.top - height.total(),
                height,
            });
        }
    }

    /// If the last row ends above the bottom of the view, everything moves down.
    fn pull_to_end(&mut self, frame: Frame) {
        let end = frame.height - frame.foot;
        if let Some(last) = self.rows.back().copied()
            && last.index + 1 == frame.rows
            && last.bottom() < end
        {
            self.shift(end - last.bottom());
        }
    }

    fn shift(&mut self, distance: f32) {
        for row in &mut self.rows {
            row.top += distance;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame {
        height: 100.0,
        rows: 50,
        head: 20.0,
        foot: 8.0,
    };

    fn heights(index: usize) -> RowHeight {
        RowHeight {
            above: if index.is_multiple_of(3) { 12.0 } else { 0.0 },
            body: 10.0 + (index % 5) as f32,
        }
    }

    /// Rows follow each other without gaps and fill the view, if there are enough.
    fn check(placement: &Placement, frame: Frame) {
        let rows = &placement.rows;
        for (row, next) in rows.iter().zip(rows.iter().skip(1)) {
            assert_eq!(row.index + 1, next.index);
            assert!((row.bottom() - next.top).abs() < 1e-3);
        }
        let (first, last) = (rows[0], rows[rows.len() - 1]);
        assert!(first.top <= 0.0 || first.index == 0, "{first:?}");
        assert!(
            last.bottom() >= frame.height || last.index + 1 == frame.rows,
            "{last:?}"
        );
        assert!(
            last.bottom() >= frame.height - frame.foot - 1e-3,
            "nothing floats above the end: {last:?}"
        );
    }

    #[test]
    fn the_anchor_stays_where_it_is() {
        for body_top in [-9.0, 0.0, 33.5, 90.0] {
            let placement = place(Place::At { index: 25, body_top }, FRAME, heights);
            check(&placement, FRAME);
            let anchor = placement
                .rows
                .iter()
                .find(|row| row.index == 25)
                .expect("it is in sight");
            assert!((anchor.body_top() - body_top).abs() < 1e-3);
            assert!(!placement.at_end);
        }
    }

    #[test]
    fn beyond_the_ends_the_view_stays_full() {
        for (index, body_top) in [(0, 1_000.0), (0, 60.0), (49, -500.0), (49, 20.0), (999, 0.0)] {
            let placement = place(Place::At { index, body_top }, FRAME, heights);
            check(&placement, FRAME);
            let (first, last) = (placement.rows[0], placement.rows[placement.rows.len() - 1]);
            if index == 0 {
                assert_eq!((first.index, first.top), (0, FRAME.head));
            } else {
                assert!(
                    placement.at_end && (last.bottom() - 92.0).abs() < 1e-3,
                    "{last:?}"
                );
            }
        }
    }

    #[test]
    fn too_few_rows_stand_at_the_bottom() {
        let frame = Frame { rows: 3, ..FRAME };
        for at in [
            Place::End,
            Place::At {
                index: 0,
                body_top: 0.0,
            },
            Place::At {
                index: 2,
                body_top: 300.0,
            },
        ] {
            let placement = place(at, frame, heights);
            assert_eq!(placement.rows.len(), 3);
            assert!(
                placement.at_end && (placement.rows[2].bottom() - 92.0).abs() < 1e-3,
                "{at:?}"
            );
        }
        assert!(
            place(Place::End, Frame { rows: 0, ..FRAME }, heights)
                .rows
                .is_empty()
        );
    }

    #[test]
    fn only_rows_in_sight_are_measured() {
        let mut measured = 0;
        let placement = place(
            Place::End,
            Frame {
                rows: 100_000,
                ..FRAME
            },
            |index| {
                measured += 1;
                heights(index)
            },
        );
        assert!(measured <= placement.rows.len() + 1, "{measured}");
    }
}
