//! Going somewhere in a history of which only a stretch is loaded: what is not there is asked for first.

use jiff::Timestamp;

use super::{Anchor, Spot, TimelineAction, TimelineView};
use crate::id::MessageId;
use crate::model::{Page, RowKey, Timeline};

/// Where the reader wants to go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Wanted {
    /// To a message, which is to stand out.
    Message(MessageId),
    /// To the line where reading stopped.
    Unread,
    /// To the first message from a time on.
    Time(Timestamp),
    /// To the newest message.
    Newest,
    /// Back to where they were.
    Back(Anchor),
}

/// Whether the reader can go there.
enum Way {
    /// It is this row.
    Here(RowKey),
    /// This has to be loaded first.
    Load(Page),
    /// There is no such place.
    Nowhere,
    /// It is not known yet.
    Unknown,
}

impl TimelineView {
    /// Goes to the newest row and stays there.
    pub fn follow(&mut self) {
        self.revealed = None;
        self.want(Wanted::Newest);
        self.has_jumped = false;
    }

    /// Whether the newest row is kept in view.
    pub fn is_following(&self) -> bool {
        self.follow
    }

    /// Shows a message where it stands, and marks it: now, or as soon as it is among the rows.
    pub fn reveal(&mut self, message: MessageId) {
        self.leave();
        self.want(Wanted::Message(message));
    }

    /// Goes to the line where reading stopped, if there is one.
    pub fn reveal_unread(&mut self) {
        self.leave();
        self.want(Wanted::Unread);
    }

    /// Goes to the first message from a time on.
    pub fn reveal_time(&mut self, at: Timestamp) {
        self.leave();
        self.want(Wanted::Time(at));
    }

    /// Goes to the oldest message.
    pub fn reveal_oldest(&mut self) {
        self.reveal_time(Timestamp::UNIX_EPOCH);
    }

    /// Whether there is a place to go back to.
    pub fn can_go_back(&self) -> bool {
        self.back.is_some()
    }

    /// Goes back to where the reader was before the last jumps.
    pub fn go_back(&mut self) {
        if let Some(spot) = self.back.take() {
            self.revealed = None;
            self.has_jumped = false;
            self.want(match spot {
                Spot::End => Wanted::Newest,
                Spot::At(anchor) => Wanted::Back(anchor),
            });
        }
    }

    /// What was asked for can't be had: the reader stays.
    pub fn load_failed(&mut self) {
        (self.wanted, self.asked) = (None, None);
    }

    pub(super) fn go_to(&mut self, row: RowKey, body_top: f32) {
        self.follow = false;
        self.anchor = Some(Anchor { row, body_top });
    }

    /// Goes where it was wanted, if that is among the rows by now.
    pub(super) fn go_where_wanted(
        &mut self,
        timeline: &Timeline,
        view_height: f32,
        actions: &mut Vec<TimelineAction>,
    ) {
        if self.follow && timeline.more_after() && self.wanted.is_none() {
            self.want(Wanted::Newest);
        }
        let Some(wanted) = self.wanted else { return };
        if wanted == Wanted::Newest && !timeline.more_after() {
            (self.wanted, self.asked) = (None, None);
            self.follow = true;
            return;
        }
        let is_answered = |(_, round): &(Page, u32)| *round != timeline.older_round();
        let is_answered = self.asked.as_ref().is_some_and(is_answered);
        match way(wanted, timeline, is_answered) {
            Way::Here(row) => {
                (self.wanted, self.asked) = (None, None);
                if let Wanted::Message(message) = wanted {
                    self.revealed = Some((message, None));
                }
                let body_top = match wanted {
                    Wanted::Back(anchor) => anchor.body_top,
                    _ => view_height / 3.0,
                };
                self.go_to(row, body_top);
            }
            Way::Load(page) => {
                if self.asked.is_none_or(|(asked, _)| asked != page) {
                    self.asked = Some((page, timeline.older_round()));
                    actions.push(TimelineAction::Load(page));
                }
            }
            Way::Nowhere => (self.wanted, self.asked) = (None, None),
            Way::Unknown => {}
        }
    }

    fn want(&mut self, wanted: Wanted) {
        self.wanted = Some(wanted);
        self.asked = None;
    }

    /// Remembers where the reader is, before the first of several jumps.
    fn leave(&mut self) {
        if !std::mem::replace(&mut self.has_jumped, true) {
            self.back = match self.anchor {
                Some(anchor) if !self.follow => Some(Spot::At(anchor)),
                _ => Some(Spot::End),
            };
        }
    }
}

/// `is_answered`: what had to be loaded was, so that what is not there now will not come.
fn way(wanted: Wanted, timeline: &Timeline, is_answered: bool) -> Way {
    if timeline.is_empty() {
        return Way::Unknown;
    }
    let load = |page: Page| {
        if is_answered {
            Way::Nowhere
        } else {
            Way::Load(page)
        }
    };
    match wanted {
        Wanted::Newest => Way::Load(Page::Newest),
        Wanted::Message(message) => match timeline.index_of(message).and_then(|index| timeline.row(index)) {
            Some(row) => Way::Here(row.key),
            None => load(Page::Around(message)),
        },
        Wanted::Unread => match (timeline.new_line(), timeline.read_mark()) {
            (Some(line), _) => Way::Here(line),
            (None, Some(mark)) if timeline.key_of(mark).is_none() => load(Page::Around(mark)),
            // Without a line there is nothing to wait for: the next one is for what comes from now on.
            _ => Way::Nowhere,
        },
        Wanted::Time(at) => place(timeline, RowKey::from(at), Page::At(at), is_answered),
        Wanted::Back(anchor) => {
            let page = match anchor.row.message() {
                Some(message) => Page::Around(message),
                None => Page::At(anchor.row.at()),
            };
            place(timeline, anchor.row, page, is_answered)
        }
    }
}

/// The first row at a place or after it, if what is held reaches there.
fn place(timeline: &Timeline, key: RowKey, page: Page, is_answered: bool) -> Way {
    let index = timeline.index_at(key);
    let is_before = index == 0 && timeline.more_before() && timeline.row(0).is_some_and(|row| row.key > key);
    let is_after = index == timeline.len() && timeline.more_after();
    if (is_before || is_after) && !is_answered {
        return Way::Load(page);
    }
    let row = timeline.row(index.min(timeline.len().saturating_sub(1)));
    row.map_or(Way::Nowhere, |row| Way::Here(row.key))
}
