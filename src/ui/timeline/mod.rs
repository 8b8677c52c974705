//! The timeline of a chat: one list of rows, of which only those in sight are laid out.
//!
//! The reader is either at the end and stays there (`follow`), or at an anchor: a row whose text keeps its place on the screen
//! while other rows come, go, or turn out higher than estimated (scroll anchoring). [`place`] computes from either where the
//! rows in sight are; [`heights`] has the heights of all others, measured or estimated; [`layout`] lays a row out and
//! [`paint`] puts it on the screen.

mod bar;
mod edges;
mod going;
mod heights;
mod input;
mod layout;
mod paint;
mod place;
mod selection;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Response, Sense, Ui, UiBuilder, WidgetInfo};
use jiff::civil;

use self::bar::{Extent, Grip};
use self::going::Wanted;
use self::heights::Heights;
use self::layout::{BAR_WIDTH, Columns, Laid};
use self::paint::{Emphasis, Scene};
use self::place::{Frame, Place, Placed, Placement};
use self::selection::Selection;
use crate::id::{MemberId, MessageId};
use crate::model::{Older, Page, RowId, RowKey, Timeline};
use crate::ui::theme;

/// Room above the first row, where it says what is before it.
const HEAD: f32 = 48.0;
/// Room below the last row.
const FOOT: f32 = 12.0;
/// How many heights of the view before the rows end the next page is asked for. A guess: it takes some ms.
const AHEAD: f64 = 2.0;
/// Where there are more rows than are loaded, the scroll bar counts them as this many heights of the view, since their number
/// is not known.
const UNKNOWN: f64 = 4.0;
/// For how long the target of a jump is highlighted, in seconds. A guess.
const MARKED_FOR: f64 = 4.0;

/// What a reader sees of a timeline: where they are, what is selected. One for each chat, kept between frames.
#[derive(Debug)]
pub struct TimelineView {
    /// Whether the end is kept in view.
    follow: bool,
    /// Otherwise this is.
    anchor: Option<Anchor>,
    /// Where to go in the next frame.
    wanted: Option<Wanted>,
    heights: Heights,
    /// The rows in sight, laid out. Only looked up.
    laid: HashMap<RowId, Laid>,
    selection: Option<Selection>,
    /// The row whose context menu is open.
    menu_row: Option<RowKey>,
    /// The row that was searched or jumped for, and until when it stands out, once it was in sight.
    revealed: Option<(MessageId, Option<f64>)>,
    /// Where one was before a jump, and whether nothing but jumps came since.
    back: Option<Spot>,
    has_jumped: bool,
    /// What was asked for to get where one wants, and how often rows had been put in place of all by then.
    asked: Option<(Page, u32)>,
    grip: Grip,
    /// The oldest message and the round when what is before it was asked for; the same of the newest.
    asked_before: Option<(MessageId, u32)>,
    asked_after: Option<(MessageId, u32)>,
    /// The newest message that was said to be read.
    read: Option<RowKey>,
    /// The newest row that was in sight.
    seen: Option<RowKey>,
    /// How many rows came after it, and the timeline's version when they were counted.
    unseen: Option<(u64, RowKey, usize)>,
    /// Rows that had to be laid out in the last frame.
    laid_out: usize,
}

/// A row, and how far below the top of the view its words begin.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Anchor {
    row: RowKey,
    body_top: f32,
}

/// A place to come back to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spot {
    End,
    At(Anchor),
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
    /// What stands above the first message if there is none before it.
    pub beginning: &'a str,
    /// Whether what was said before is being fetched from others.
    pub fetching: bool,
    /// Whether the reader may ban anybody.
    pub may_ban: bool,
}

/// What the reader did in a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimelineAction {
    /// Needs this part of the history: said once for each end of the rows when the reader comes near it, and for where
    /// they want to go.
    Load(Page),
    /// Wants to go to another day than this.
    ChooseDay(civil::Date),
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
    /// Wants to address somebody: their nick goes into the composer.
    Mention(String),
    /// Wants to ignore a member.
    Ignore(MemberId),
    /// Wants to ban a member.
    Ban(MemberId),
}

impl Default for TimelineView {
    fn default() -> Self {
        Self::new()
    }
}

impl TimelineView {
    /// At the end, following it.
    pub fn new() -> Self {
        Self {
            follow: true,
            anchor: None,
            wanted: None,
            heights: Heights::default(),
            laid: HashMap::new(),
            selection: None,
            menu_row: None,
            revealed: None,
            back: None,
            has_jumped: false,
            asked: None,
            grip: None,
            asked_before: None,
            asked_after: None,
            read: None,
            seen: None,
            unseen: None,
            laid_out: 0,
        }
    }

    /// How many rows had to be laid out in the last frame: for tests and benches. It does not depend on how many
    /// there are.
    pub fn laid_out(&self) -> usize {
        self.laid_out
    }

    /// Moves what is seen: positive, to older rows.
    fn scroll_by(&mut self, points: f32) {
        if points == 0.0 {
            return;
        }
        self.wanted = None;
        self.has_jumped = false;
        self.follow = false;
        if let Some(anchor) = &mut self.anchor {
            anchor.body_top += points;
        }
    }
}

/// Paints a timeline into all the room that there is.
pub fn timeline_ui(
    ui: &mut Ui,
    view: &mut TimelineView,
    timeline: &Timeline,
    options: &TimelineOptions<'_>,
) -> Vec<TimelineAction> {
    let mut actions = Vec::new();
    // 1. Size: all there is.
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::List, true, "Messages"));
    let tokens = theme::tokens(ui);
    let columns = Columns::new(rect.width(), options.compact, tokens.dark);
    let scene = Scene {
        view: rect,
        columns,
        tokens,
        options,
        id: response.id,
    };
    let builder = UiBuilder::new()
        .id_salt("rows")
        .max_rect(rect)
        .accessibility_parent(response.id);
    let mut rows = ui.new_child(builder);
    rows.shrink_clip_rect(rect);
    view.heights.follow(timeline, columns.text_width);

    // 2. What the reader did since the last frame moves the view; then the rows are placed.
    view.go_where_wanted(timeline, rect.height(), &mut actions);
    input::keys(ui, view, timeline, options, &response, &mut actions);
    input::wheel(ui, view, &response);
    let placement = place_rows(&rows, view, timeline, &scene);
    input::pointer(ui, view, timeline, &placement, rect, &response);

    // 3. Paint.
    ui.painter().rect_filled(rect, 0.0, tokens.base);
    rows_ui(
        &mut rows,
        view,
        timeline,
        &scene,
        &placement,
        &response,
        &mut actions,
    );
    edges::head_ui(&mut rows, timeline, &scene, &placement, &mut actions);
    scroll_bar(&rows, view, timeline, &scene, &placement, &response);
    input::context_menu(view, timeline, options, &response, &mut actions);
    edges::pill_ui(&mut rows, view, timeline, &scene, &placement);
    if response.has_focus() {
        let stroke = ui.visuals().widgets.active.bg_stroke;
        ui.painter()
            .rect_stroke(rect.shrink(1.0), 4.0, stroke, egui::StrokeKind::Inside);
    }

    unmark(ui, view, timeline, &placement);
    ask_for_more(view, timeline, &placement, rect.height(), &mut actions);
    mark_read(ui, view, timeline, &placement, rect.height(), &mut actions);
    actions
}

/// Lays out the rows in sight and puts them where they belong; then the anchor is the first of them.
fn place_rows(ui: &Ui, view: &mut TimelineView, timeline: &Timeline, scene: &Scene<'_>) -> Placement {
    let wanted = match view.anchor {
        Some(anchor) if !view.follow => Place::At {
            index: timeline.index_at(anchor.row),
            body_top: anchor.body_top,
        },
        _ => Place::End,
    };
    let frame = Frame {
        height: scene.view.height(),
        rows: timeline.len(),
        head: HEAD,
        foot: FOOT,
    };
    view.laid_out = 0;
    let mut in_sight = HashMap::new();
    let placement = place::place(wanted, frame, |index| {
        let Some(row) = timeline.row(index) else {
            return heights::RowHeight::default();
        };
        let shares_nick = row.said().is_some_and(|said| {
            timeline.shares_nick(said) || scene.options.shared_nicks.contains(&said.member)
        });
        let laid = match view.laid.remove(&row.id) {
            Some(laid) if laid.fits(row, scene.columns, shares_nick) => laid,
            _ => {
                view.laid_out += 1;
                let laid = Laid::new(ui, row, scene.columns, shares_nick, scene.tokens);
                view.heights.record(timeline, index, laid.height.total());
                laid
            }
        };
        let height = laid.height;
        in_sight.insert(row.id, laid);
        height
    });
    view.laid = in_sight;

    let first = placement.rows.iter().find(|row| row.bottom() > 0.0);
    view.anchor = first.and_then(|first| {
        let row = timeline.row(first.index)?.key;
        Some(Anchor {
            row,
            body_top: first.body_top(),
        })
    });
    view.follow = placement.at_end && !timeline.more_after();
    placement
}

fn rows_ui(
    ui: &mut Ui,
    view: &TimelineView,
    timeline: &Timeline,
    scene: &Scene<'_>,
    placement: &Placement,
    response: &Response,
    actions: &mut Vec<TimelineAction>,
) {
    let pointer = ui
        .input(|input| input.pointer.hover_pos())
        .filter(|_| response.contains_pointer());
    for placed in &placement.rows {
        let Some(row) = timeline.row(placed.index) else {
            continue;
        };
        let Some(laid) = view.laid.get(&row.id) else {
            continue;
        };
        let top = scene.view.top() + placed.body_top();
        let hovered = pointer.is_some_and(|pointer| (top..top + placed.height.body).contains(&pointer.y));
        let emphasis = Emphasis {
            hovered: hovered || view.menu_row == Some(row.key),
            selected: view
                .selection
                .is_some_and(|selection| selection.contains(row.key)),
            revealed: view
                .revealed
                .is_some_and(|(message, _)| row.said().is_some_and(|said| said.message == message)),
        };
        paint::row_ui(ui, scene, row, laid, placed, emphasis, actions);
    }
}

fn scroll_bar(
    ui: &Ui,
    view: &mut TimelineView,
    timeline: &Timeline,
    scene: &Scene<'_>,
    placement: &Placement,
    response: &Response,
) {
    let Some(first) = placement.rows.front() else {
        return;
    };
    let height = scene.view.height();
    let unknown = |more: bool| f64::from(u8::from(more)) * UNKNOWN * f64::from(height);
    let (before, after) = (unknown(timeline.more_before()), unknown(timeline.more_after()));
    let head = before + f64::from(HEAD);
    let total = head + view.heights.total() + f64::from(FOOT) + after;
    // At the end it is known where the bar stands, whatever the estimates say.
    let offset = if placement.at_end {
        total - after - f64::from(height)
    } else {
        head + view.heights.top_of(timeline, first.index) - f64::from(first.top)
    };
    let track = scene.view.with_min_x(scene.view.right() - BAR_WIDTH);
    let extent = Extent {
        total,
        offset,
        view: height,
    };
    let active = response.contains_pointer();
    let id = scene.id.with("bar");
    let Some(offset) = bar::bar_ui(ui, track, id, extent, active, &mut view.grip, scene.tokens) else {
        return;
    };
    if offset >= total - f64::from(height) - 1.0 && !timeline.more_after() {
        view.follow();
    } else {
        let (index, into) = view.heights.row_at(timeline, offset - head);
        // Above the first row is the head, which no row stands for.
        let above = (head - offset).clamp(0.0, f64::from(HEAD)) as f32;
        if let Some(row) = timeline.row(index) {
            view.wanted = None;
            view.go_to(row.key, above - into);
        }
    }
    ui.ctx().request_repaint();
}

/// What was gone to stands out for a moment from when it came into sight.
fn unmark(ui: &Ui, view: &mut TimelineView, timeline: &Timeline, placement: &Placement) {
    let Some((message, until)) = view.revealed else {
        return;
    };
    let now = ui.input(|input| input.time);
    let until = until.or_else(|| {
        let is_it =
            |placed: &Placed| timeline.row(placed.index).and_then(|row| row.key.message()) == Some(message);
        placement.rows.iter().any(is_it).then_some(now + MARKED_FOR)
    });
    view.revealed = match until {
        Some(until) if until <= now => None,
        until => Some((message, until)),
    };
    if let Some(until) = until {
        let rest = Duration::from_secs_f64((until - now).max(0.0));
        ui.ctx().request_repaint_after(rest);
    }
}

/// Asks for the rows before and after those that are held, when the reader is near their end: once for each end.
fn ask_for_more(
    view: &mut TimelineView,
    timeline: &Timeline,
    placement: &Placement,
    height: f32,
    actions: &mut Vec<TimelineAction>,
) {
    let (Some(first), Some(last)) = (placement.rows.front(), placement.rows.back()) else {
        return;
    };
    let ahead = AHEAD * f64::from(height);
    let round = timeline.older_round();
    let above = view.heights.top_of(timeline, first.index) - f64::from(first.top);
    if timeline.more_before()
        && timeline.older() == Older::Idle
        && above < ahead
        && let Some(oldest) = timeline.first_message()
        && view.asked_before != Some((oldest, round))
    {
        view.asked_before = Some((oldest, round));
        actions.push(TimelineAction::Load(Page::Before(oldest)));
    }
    let below =
        view.heights.total() - view.heights.top_of(timeline, last.index) - f64::from(height - last.top);
    if timeline.more_after()
        && below < ahead
        && let Some(newest) = timeline.last_message()
        && view.asked_after != Some((newest, round))
    {
        view.asked_after = Some((newest, round));
        actions.push(TimelineAction::Load(Page::After(newest)));
    }
}

/// Says that the newest message wholly in sight was read, if somebody may have been looking.
fn mark_read(
    ui: &Ui,
    view: &mut TimelineView,
    timeline: &Timeline,
    placement: &Placement,
    height: f32,
    actions: &mut Vec<TimelineAction>,
) {
    if !ui.input(|input| input.focused) {
        return;
    }
    let rows = placement
        .rows
        .iter()
        .rev()
        .filter(|placed| placed.bottom() <= height);
    let newest = rows
        .filter_map(|placed| timeline.row(placed.index))
        .find_map(|row| Some((row.key, row.said()?.message)));
    if let Some((key, message)) = newest
        && view.read < Some(key)
    {
        view.read = Some(key);
        actions.push(TimelineAction::MarkRead(message));
    }
}

/// Where the pointer is: the row there, or the nearest.
fn row_under(placement: &Placement, timeline: &Timeline, y: f32) -> Option<RowKey> {
    let placed = placement
        .rows
        .iter()
        .find(|placed| y < placed.bottom())
        .or_else(|| placement.rows.back())?;
    timeline.row(placed.index).map(|row| row.key)
}
