//! The timeline of a chat: one list of rows, of which only those in sight are laid out.
//!
//! The reader is either at the end and stays there (`follow`), or at an anchor: a row whose words keep their place
//! while other rows come, go, or turn out higher than was thought. [`place`] works out from either where the rows in
//! sight stand; [`heights`] knows how high all the others are, or about; [`layout`] makes text of a row and [`paint`]
//! puts it on the screen.

mod bar;
mod heights;
mod input;
mod layout;
mod paint;
mod place;
mod selection;

use std::collections::{BTreeSet, HashMap};

use egui::accesskit::Role;
use egui::text::LayoutJob;
use egui::{Align, Align2, Button, Rect, Response, RichText, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};
use jiff::civil;
use lucide_icons::Icon;

use self::bar::{Extent, Grip};
use self::heights::Heights;
use self::layout::{BAR_WIDTH, Columns, Laid};
use self::paint::{Emphasis, Scene};
use self::place::{Frame, Place, Placement};
use self::selection::Selection;
use crate::id::{MemberId, MessageId};
use crate::model::{RowId, RowKey, Timeline};
use crate::ui::theme;

/// Room above the first row, where it says what is before it.
const HEAD: f32 = 48.0;
/// Room below the last row.
const FOOT: f32 = 12.0;

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
    /// The row that was searched or jumped for.
    revealed: Option<MessageId>,
    grip: Grip,
    /// The oldest row when the rows before it were asked for.
    asked_before: Option<RowKey>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Message(MessageId),
    Unread,
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
            grip: None,
            asked_before: None,
            read: None,
            seen: None,
            unseen: None,
            laid_out: 0,
        }
    }

    /// Goes to the newest row and stays there.
    pub fn follow(&mut self) {
        self.follow = true;
        self.wanted = None;
        self.revealed = None;
    }

    /// Whether the newest row is kept in view.
    pub fn is_following(&self) -> bool {
        self.follow
    }

    /// Shows a message where it stands, and marks it: now, or as soon as it is among the rows.
    pub fn reveal(&mut self, message: MessageId) {
        self.wanted = Some(Wanted::Message(message));
    }

    /// Goes to the line where reading stopped, if there is one.
    pub fn reveal_unread(&mut self) {
        self.wanted = Some(Wanted::Unread);
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
        self.follow = false;
        if let Some(anchor) = &mut self.anchor {
            anchor.body_top += points;
        }
    }

    fn go_to(&mut self, row: RowKey, body_top: f32) {
        self.follow = false;
        self.anchor = Some(Anchor { row, body_top });
    }

    /// Goes where it was wanted, if that is among the rows by now.
    fn go_where_wanted(&mut self, timeline: &Timeline, view_height: f32) {
        let row = match self.wanted {
            Some(Wanted::Message(message)) => {
                timeline.index_of(message).and_then(|index| timeline.row(index))
            }
            Some(Wanted::Unread) => timeline
                .new_line()
                .and_then(|key| timeline.row(timeline.index_at(key))),
            None => None,
        };
        // Without a line there is nothing to wait for: the next one is for what comes from now on.
        if row.is_none() && self.wanted == Some(Wanted::Unread) && !timeline.is_empty() {
            self.wanted = None;
        }
        if let Some(row) = row {
            self.revealed = match self.wanted.take() {
                Some(Wanted::Message(message)) => Some(message),
                _ => None,
            };
            self.go_to(row.key, view_height / 3.0);
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
    view.go_where_wanted(timeline, rect.height());
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
    head_ui(&mut rows, timeline, &scene, &placement, &mut actions);
    scroll_bar(&rows, view, timeline, &scene, &placement, &response);
    input::context_menu(view, timeline, &response, &mut actions);
    pill_ui(&mut rows, view, timeline, &scene, &placement);
    if response.has_focus() {
        let stroke = ui.visuals().widgets.active.bg_stroke;
        ui.painter()
            .rect_stroke(rect.shrink(1.0), 4.0, stroke, egui::StrokeKind::Inside);
    }

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
    view.follow = placement.at_end;
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
                .is_some_and(|message| row.said().is_some_and(|said| said.message == message)),
        };
        paint::row_ui(ui, scene, row, laid, placed, emphasis, actions);
    }
}

/// What stands above the first row, or in place of rows.
fn head_ui(
    ui: &mut Ui,
    timeline: &Timeline,
    scene: &Scene<'_>,
    placement: &Placement,
    actions: &mut Vec<TimelineAction>,
) {
    let (view, tokens) = (scene.view, scene.tokens);
    let Some(first) = placement.rows.front() else {
        empty_ui(ui, scene);
        return;
    };
    if first.index != 0 || first.top <= 0.0 {
        return;
    }
    let middle = pos2(view.center().x, view.top() + first.top - HEAD / 2.0);
    if timeline.more_before() {
        let rect = Rect::from_center_size(middle, vec2(180.0, 28.0));
        let button = Button::new(
            RichText::new("Show earlier messages")
                .font(theme::meta())
                .color(tokens.accent),
        );
        if ui.put(rect, button.frame_when_inactive(false)).clicked() {
            actions.push(TimelineAction::LoadBefore);
        }
    } else {
        let words = "This is where the chat begins";
        ui.painter()
            .text(middle, Align2::CENTER_CENTER, words, theme::meta(), tokens.weak);
    }
}

fn empty_ui(ui: &Ui, scene: &Scene<'_>) {
    let (center, color) = (scene.view.center(), scene.tokens.weak);
    let icon = Icon::MessagesSquare.unicode();
    ui.painter().text(
        center - vec2(0.0, 28.0),
        Align2::CENTER_CENTER,
        icon,
        theme::icon_font(32.0),
        color,
    );
    let width = (scene.view.width() - 48.0).clamp(40.0, 360.0);
    let mut hint = LayoutJob::simple(scene.options.empty_hint.to_owned(), theme::body(), color, width);
    hint.halign = Align::Center;
    let hint = ui.fonts_mut(|fonts| fonts.layout_job(hint));
    let rect = Rect::from_center_size(center + vec2(0.0, hint.size().y / 2.0 + 4.0), hint.size());
    ui.painter().galley(rect.center_top(), hint, color);
    let response = ui.interact(rect, scene.id.with("empty"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, scene.options.empty_hint));
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
    let head = f64::from(HEAD);
    let total = head + view.heights.total() + f64::from(FOOT);
    let height = scene.view.height();
    // At the end it is known where the bar stands, whatever the estimates say.
    let offset = if placement.at_end {
        total - f64::from(height)
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
    if offset >= total - f64::from(height) - 1.0 {
        view.follow();
    } else {
        let (index, into) = view.heights.row_at(timeline, offset - head);
        // Above the first row is the head, which no row stands for.
        let above = (head - offset).max(0.0) as f32;
        if let Some(row) = timeline.row(index) {
            view.wanted = None;
            view.go_to(row.key, above - into);
        }
    }
    ui.ctx().request_repaint();
}

/// While the end is out of sight: what came since, and the way down.
fn pill_ui(
    ui: &mut Ui,
    view: &mut TimelineView,
    timeline: &Timeline,
    scene: &Scene<'_>,
    placement: &Placement,
) {
    if let Some(last) = placement.rows.back().and_then(|last| timeline.row(last.index)) {
        view.seen = view.seen.max(Some(last.key));
    }
    if view.follow {
        view.unseen = None;
        return;
    }
    let unseen = unseen(view, timeline);
    let tokens = scene.tokens;
    let (words, name) = match unseen {
        0 => (String::new(), "Go to the newest message".to_owned()),
        unseen => (
            format!("{unseen} new"),
            format!("{unseen} new, go to the newest message"),
        ),
    };
    let (fill, color) = if unseen > 0 {
        (tokens.accent_fill, tokens.on_accent)
    } else {
        (tokens.panel, tokens.text)
    };
    let icon = theme::icon(Icon::ArrowDown).color(color);
    let size = if unseen > 0 {
        vec2(96.0, 32.0)
    } else {
        vec2(32.0, 32.0)
    };
    let rect = Rect::from_center_size(
        pos2(scene.view.center().x, scene.view.bottom() - 12.0 - size.y / 2.0),
        size,
    );
    let button = if unseen > 0 {
        Button::new((icon, RichText::new(words).font(theme::meta_strong()).color(color)))
    } else {
        Button::new(icon)
    };
    let button = button.fill(fill).corner_radius(16.0).min_size(size);
    let response = ui.put(rect, button).accessible_name(name);
    if response.clicked() {
        view.follow();
    }
}

/// How many messages of others came after the newest that was in sight; counted when something changed.
fn unseen(view: &mut TimelineView, timeline: &Timeline) -> usize {
    let Some(seen) = view.seen else { return 0 };
    match view.unseen {
        Some((version, key, unseen)) if version == timeline.version() && key == seen => unseen,
        _ => {
            let after = timeline
                .rows_from(timeline.index_at(seen))
                .filter(|row| row.key > seen);
            let unseen = after.filter(|row| row.is_from_others()).count();
            view.unseen = Some((timeline.version(), seen, unseen));
            unseen
        }
    }
}

/// Asks for older rows when the oldest is less than a view away: once for each oldest row.
fn ask_for_more(
    view: &mut TimelineView,
    timeline: &Timeline,
    placement: &Placement,
    height: f32,
    actions: &mut Vec<TimelineAction>,
) {
    let oldest = timeline.row(0).map(|row| row.key);
    if !timeline.more_before() || oldest.is_none() || view.asked_before == oldest {
        return;
    }
    let Some(first) = placement.rows.front() else {
        return;
    };
    if view.heights.top_of(timeline, first.index) - f64::from(first.top) < f64::from(height) {
        view.asked_before = oldest;
        if !actions.contains(&TimelineAction::LoadBefore) {
            actions.push(TimelineAction::LoadBefore);
        }
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
