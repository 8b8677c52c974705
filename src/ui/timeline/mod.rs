//! The timeline of a chat: one list of rows of which only the visible ones are laid out.

use std::collections::BTreeSet;

use egui::Ui;
use jiff::civil;

use crate::id::{MemberId, MessageId};
use crate::model::Timeline;

/// What a reader sees of a timeline: where they are, what is selected. One for each chat, kept between frames.
#[derive(Debug, Default)]
pub struct TimelineView {}

impl TimelineView {
    /// At the end, following it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes to the newest row and stays there.
    pub fn follow(&mut self) {}

    /// Whether the newest row is kept in view.
    pub fn is_following(&self) -> bool {
        true
    }

    /// Shows a message in the middle, where it stands, and marks it.
    pub fn reveal(&mut self, message: MessageId) {
        let _ = message;
    }

    /// Goes to the line where reading stopped, if there is one.
    pub fn reveal_unread(&mut self) {}
}

/// How a timeline is shown.
#[derive(Debug, Clone, Copy)]
pub struct TimelineOptions<'a> {
    /// A line for a message, without space between authors.
    pub compact: bool,
    /// Today in the reader's time zone: for "Today" and "Yesterday".
    pub today: civil::Date,
    /// Members whose nick another member has too; their fingerprint is shown beside it. (Those who share one among
    /// the rows are found without it.)
    pub shared_nicks: &'a BTreeSet<MemberId>,
    /// Whether keys (Page Up, Home, Ctrl+A…) are for this timeline: not while a dialog is open.
    pub keys: bool,
    /// What an empty timeline says.
    pub empty_hint: &'a str,
}

/// What the reader did in a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimelineAction {
    /// Came near the oldest row: load what was before it. Said once for each oldest row.
    LoadBefore,
    /// Saw everything up to this message, with the window in front. Said once for each.
    MarkRead(MessageId),
    /// Wants to know about a member.
    OpenMember(MemberId),
    /// Clicked on a link: http, https or throng.
    OpenLink(String),
    /// Wants this in the clipboard.
    CopyText(String),
    /// Wants a failed message tried again.
    Retry(MessageId),
    /// Wants to speak to somebody: their nick goes into the composer.
    Mention(String),
}

/// Paints a timeline into all the room that there is.
pub fn timeline_ui(
    ui: &mut Ui,
    view: &mut TimelineView,
    timeline: &Timeline,
    options: &TimelineOptions<'_>,
) -> Vec<TimelineAction> {
    let _ = (ui, view, timeline, options);
    Vec::new()
}
