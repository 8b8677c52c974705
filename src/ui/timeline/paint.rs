//! Painting a row: its background, what is above its text, the text, and the sign of its delivery.

use egui::accesskit::Role;
use egui::emath::GuiRounding as _;
use egui::{
    Align2, CornerRadius, CursorIcon, Galley, Id, Painter, Pos2, Rangef, Rect, Response, Sense, Ui,
    WidgetInfo, pos2, vec2,
};
use jiff::civil;

use super::layout::{self, Columns, DAY_LINE, FAILED_LINE, Laid, NEW_LINE};
use super::place::Placed;
use super::{TimelineAction, TimelineOptions};
use crate::model::{DeliveryState, Row, RowContent, SaidRow};
use crate::ui::icons::Icon;
use crate::ui::identicon;
use crate::ui::theme::{self, Tokens, size};

/// What a row is painted with, the same for all rows of a frame.
pub(super) struct Scene<'a> {
    /// The view; rows that reach beyond it are cut off.
    pub(super) view: Rect,
    pub(super) columns: Columns,
    pub(super) tokens: &'static Tokens,
    pub(super) options: &'a TimelineOptions<'a>,
    /// Names what can be clicked, together with the row's name.
    pub(super) id: Id,
}

/// How a row stands out from the others.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Emphasis {
    pub(super) hovered: bool,
    pub(super) selected: bool,
    pub(super) revealed: bool,
}

/// Paints a row where it was placed, and names it for screen readers.
pub(super) fn row_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    row: &Row,
    laid: &Laid,
    placed: &Placed,
    emphasis: Emphasis,
    actions: &mut Vec<TimelineAction>,
) {
    // Whole pixels, the same where a row ends and where the next begins.
    let on_pixel = |distance: f32| (scene.view.top() + distance).round_to_pixels(ui.pixels_per_point());
    let top = on_pixel(placed.top);
    let rect = Rect::from_x_y_ranges(scene.view.x_range(), Rangef::new(top, on_pixel(placed.bottom())));
    let id = scene.id.with(row.id);
    name_row(ui, scene, row, rect, id);

    let mut line_top = top;
    if row.starts_day {
        day_line(ui, scene, row.local.date(), line_top, id, actions);
        line_top += DAY_LINE;
    }
    if row.starts_new {
        new_line(ui, scene, line_top, id);
        line_top += NEW_LINE;
    }
    let body_top = top + placed.height.above;
    // What is selected goes on without gaps; otherwise a row is its words and the nick above them.
    let ground_top = match &laid.nick {
        _ if emphasis.selected => line_top,
        Some(_) => body_top - size::BODY_LINE - size::GRID,
        None => body_top,
    };
    ground(ui.painter(), scene, row, rect.with_min_y(ground_top), emphasis);

    let galley = laid.body_galley(ui);
    let corner = pos2(
        scene.view.left() + scene.columns.text_left,
        body_top + layout::BODY_PAD,
    );
    ui.painter().galley(corner, galley.clone(), scene.tokens.text);
    links(ui, laid, &galley, corner, id, actions);
    if scene.columns.compact || (laid.nick.is_none() && laid.inline_nick.is_empty() && emphasis.hovered) {
        time(ui.painter(), scene, row, corner.y + size::BODY_LINE / 2.0);
    }
    if let Some(said) = row.said() {
        author(ui, scene, said, laid, &galley, corner, id, actions);
        delivery(ui, scene, said, &galley, corner, id, actions);
    }
}

/// The row as a screen reader knows it: one node, with how far it got as its description.
fn name_row(ui: &Ui, scene: &Scene<'_>, row: &Row, rect: Rect, id: Id) {
    let response = ui.interact(rect.intersect(scene.view), id, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, row.spoken()));
    if let Some(state) = row.said().and_then(|said| said.delivery) {
        ui.ctx()
            .accesskit_node_builder(id, |node| node.set_description(state.words()));
    }
}

fn ground(painter: &Painter, scene: &Scene<'_>, row: &Row, rect: Rect, emphasis: Emphasis) {
    let tokens = scene.tokens;
    let mentions = row.said().is_some_and(|said| said.mentions_own);
    let fill = match emphasis {
        Emphasis { selected: true, .. } => Some(tokens.selection_fill()),
        Emphasis { revealed: true, .. } => Some(tokens.selected),
        _ if mentions => Some(tokens.mention),
        Emphasis { hovered: true, .. } => Some(tokens.panel),
        _ => None,
    };
    if let Some(fill) = fill {
        painter.rect_filled(rect, CornerRadius::ZERO, fill);
    }
    if mentions {
        painter.rect_filled(
            rect.with_max_x(rect.left() + 3.0),
            CornerRadius::ZERO,
            tokens.mention_edge,
        );
    }
}

fn day_line(
    ui: &Ui,
    scene: &Scene<'_>,
    date: civil::Date,
    top: f32,
    id: Id,
    actions: &mut Vec<TimelineAction>,
) {
    let words = day_in_words(date, scene.options.today);
    let color = scene.tokens.weak;
    let galley = ui
        .painter()
        .layout_no_wrap(words.clone(), theme::meta_strong(), color);
    let rect = Rect::from_x_y_ranges(scene.view.x_range(), Rangef::new(top, top + DAY_LINE));
    // A little below the middle: the day belongs to what follows.
    let middle = (top + DAY_LINE / 2.0 + 2.0).round();
    let words_rect = Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect);
    for (from, to) in [
        (rect.left() + 16.0, words_rect.left() - 12.0),
        (words_rect.right() + 12.0, rect.right() - 16.0),
    ] {
        ui.painter().hline(from..=to, middle, (1.0, scene.tokens.border));
    }
    ui.painter().galley(
        pos2(words_rect.left(), middle - galley.size().y / 2.0),
        galley,
        color,
    );
    let target = words_rect.with_min_y(middle - 12.0).with_max_y(middle + 12.0);
    let response = ui.interact(
        target.expand2(vec2(8.0, 0.0)).intersect(scene.view),
        id.with("day"),
        Sense::CLICK,
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    if response.hovered() {
        ui.painter()
            .hline(words_rect.x_range(), middle + 8.0, (1.0, color));
    }
    let response = response
        .on_hover_cursor(CursorIcon::PointingHand)
        .on_hover_text("Go to another day");
    if response.clicked() {
        actions.push(TimelineAction::ChooseDay(date));
    }
}

fn new_line(ui: &Ui, scene: &Scene<'_>, top: f32, id: Id) {
    let color = scene.tokens.red;
    let galley = ui
        .painter()
        .layout_no_wrap("New".to_owned(), theme::meta_strong(), color);
    let rect = Rect::from_x_y_ranges(scene.view.x_range(), Rangef::new(top, top + NEW_LINE));
    let middle = rect.center().y.round();
    let words_left = rect.right() - 16.0 - galley.size().x;
    ui.painter()
        .hline(rect.left() + 16.0..=words_left - 8.0, middle, (1.0, color));
    ui.painter()
        .galley(pos2(words_left, middle - galley.size().y / 2.0), galley, color);
    let response = ui.interact(rect.intersect(scene.view), id.with("new"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, "New messages"));
}

/// "Today", "Yesterday", "Friday, 20 November", with the year if it is another.
fn day_in_words(date: civil::Date, today: civil::Date) -> String {
    if date == today {
        "Today".to_owned()
    } else if date.tomorrow().is_ok_and(|next| next == today) {
        "Yesterday".to_owned()
    } else if date.year() == today.year() {
        date.strftime("%A, %-d %B").to_string()
    } else {
        date.strftime("%A, %-d %B %Y").to_string()
    }
}

/// The time at the left, where it does not stand beside the nick.
fn time(painter: &Painter, scene: &Scene<'_>, row: &Row, middle: f32) {
    if row.said().is_none() && !scene.columns.compact {
        return;
    }
    let columns = scene.columns;
    let right = if columns.compact {
        columns.picture_left
    } else {
        columns.text_left
    } - 8.0;
    let at = pos2(scene.view.left() + right, middle);
    painter.text(
        at,
        Align2::RIGHT_CENTER,
        row.time(),
        theme::meta(),
        scene.tokens.weak,
    );
}

/// Nick and picture, and the time beside them.
#[allow(
    clippy::too_many_arguments,
    reason = "what `row_ui` knows, apart from where the row stands"
)]
fn author(
    ui: &mut Ui,
    scene: &Scene<'_>,
    said: &SaidRow,
    laid: &Laid,
    galley: &Galley,
    corner: Pos2,
    id: Id,
    actions: &mut Vec<TimelineAction>,
) {
    let (columns, tokens) = (scene.columns, scene.tokens);
    let left = scene.view.left();
    let first_line = corner.y + size::BODY_LINE / 2.0;
    let mut clickable = Vec::new();
    let picture_center = if let (Some(nick), Some(meta)) = (&laid.nick, &laid.meta) {
        let nick = ui.fonts_mut(|fonts| fonts.layout_job(nick.clone()));
        let meta = ui.fonts_mut(|fonts| fonts.layout_job(meta.clone()));
        let at = pos2(corner.x, corner.y - size::BODY_LINE);
        clickable.push(Rect::from_min_size(at, nick.size()));
        ui.painter()
            .galley(at + vec2(nick.size().x + 8.0, 0.0), meta, tokens.weak);
        ui.painter().galley(at, nick, tokens.text);
        Some(at.y + columns.picture / 2.0 + 2.0)
    } else if !laid.inline_nick.is_empty() {
        let rects = layout::rects_of(galley, &laid.inline_nick);
        clickable.extend(rects.into_iter().map(|rect| rect.translate(corner.to_vec2())));
        Some(first_line)
    } else {
        None
    };
    if let Some(center) = picture_center {
        let side = if laid.nick.is_some() {
            columns.picture
        } else {
            columns.picture.min(20.0)
        };
        let middle = pos2(left + columns.picture_left + columns.picture / 2.0, center);
        let rect = Rect::from_center_size(middle, vec2(side, side));
        identicon::paint(ui.painter(), rect, &said.member.0, tokens);
        clickable.push(rect);
    }

    for (part, rect) in clickable.into_iter().enumerate() {
        let response = ui.interact(
            rect.intersect(scene.view),
            id.with(("author", part)),
            Sense::CLICK,
        );
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        let response = response.on_hover_ui(|ui| author_card(ui, said));
        if response.clicked() {
            actions.push(TimelineAction::OpenMember(said.member));
        }
    }
}

fn author_card(ui: &mut Ui, said: &SaidRow) {
    ui.horizontal(|ui| {
        identicon::identicon_ui(ui, &said.member.0, 32.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.label(egui::RichText::new(&said.nick).font(theme::nick()));
            ui.label(
                egui::RichText::new(said.member.short())
                    .font(theme::mono())
                    .weak(),
            );
        });
    });
}

/// What the words link to.
fn links(ui: &Ui, laid: &Laid, galley: &Galley, corner: Pos2, id: Id, actions: &mut Vec<TimelineAction>) {
    let tokens = theme::tokens(ui);
    for (at, link) in laid.links.iter().enumerate() {
        for (line, rect) in layout::rects_of(galley, &link.characters).into_iter().enumerate() {
            let rect = rect.translate(corner.to_vec2()).intersect(ui.clip_rect());
            // Closer to the letters than the toolkit's own underline, which keeps below the whole line.
            let y = rect.center().y + 8.0;
            ui.painter()
                .hline(rect.x_range(), y, (1.0, tokens.accent.gamma_multiply(0.6)));
            // One stop for the keyboard, on the link's first line.
            let sense = if line == 0 { Sense::click() } else { Sense::CLICK };
            let response = ui.interact(rect, id.with(("link", at, line)), sense);
            if line == 0 {
                response.widget_info(|| WidgetInfo::labeled(Role::Link, true, &link.target));
                focus_ring(ui, &response);
            }
            let response = response
                .on_hover_cursor(CursorIcon::PointingHand)
                .on_hover_ui(|ui| link_card(ui, link));
            if response.clicked() {
                actions.push(TimelineAction::OpenLink(link.target.clone()));
            }
        }
    }
}

fn link_card(ui: &mut Ui, link: &layout::Link) {
    let what = if link.target.starts_with("throng:") {
        "An invite: asks before joining"
    } else {
        "Opens in your browser"
    };
    ui.spacing_mut().item_spacing.y = size::GRID;
    ui.label(egui::RichText::new(what).small().weak());
    ui.label(egui::RichText::new(&link.target).font(theme::mono()));
}

/// How far an own message got: a sign after its last word, and below it what can be done if it failed.
fn delivery(
    ui: &mut Ui,
    scene: &Scene<'_>,
    said: &SaidRow,
    galley: &Galley,
    corner: Pos2,
    id: Id,
    actions: &mut Vec<TimelineAction>,
) {
    let Some(delivery) = said.delivery else { return };
    let tokens = scene.tokens;
    let (icon, color) = match delivery.state {
        DeliveryState::Waiting => (Icon::Clock, tokens.weak),
        DeliveryState::Sent if delivery.is_everywhere() => (Icon::CheckCheck, tokens.weak),
        DeliveryState::Sent => (Icon::Check, tokens.weak),
        DeliveryState::Failed => (Icon::CircleAlert, tokens.red),
    };
    let center = corner + layout::end_of(galley) + vec2(14.0, 0.0);
    let rect = Rect::from_center_size(center, vec2(16.0, 16.0));
    ui.painter().text(
        center,
        Align2::CENTER_CENTER,
        icon.unicode(),
        theme::icon_font(13.0),
        color,
    );
    ui.interact(rect, id.with("delivery"), Sense::hover())
        .on_hover_text(delivery.words());
    if delivery.state != DeliveryState::Failed {
        return;
    }
    let at = pos2(corner.x, corner.y + galley.size().y + FAILED_LINE / 2.0);
    let said_so = ui
        .painter()
        .text(at, Align2::LEFT_CENTER, "Not sent.", theme::meta(), color);
    let at = pos2(said_so.right() + 8.0, at.y);
    let retry = ui.painter().text(
        at,
        Align2::LEFT_CENTER,
        "Retry",
        theme::meta_strong(),
        tokens.accent,
    );
    let response = ui.interact(retry.expand2(vec2(4.0, 4.0)), id.with("retry"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Retry"));
    focus_ring(ui, &response);
    if response.on_hover_cursor(CursorIcon::PointingHand).clicked() {
        actions.push(TimelineAction::Retry(said.message));
    }
}

fn focus_ring(ui: &Ui, response: &Response) {
    if response.has_focus() {
        let stroke = ui.visuals().widgets.active.bg_stroke;
        ui.painter()
            .rect_stroke(response.rect.expand(1.0), 3.0, stroke, egui::StrokeKind::Outside);
    }
}

/// The words of a row alone, for the clipboard.
pub(super) fn words(row: &Row) -> &str {
    match &row.content {
        RowContent::Said(said) => &said.text,
        RowContent::Notice(text) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_naturally() {
        let today = civil::date(2026, 11, 22);
        for (date, words) in [
            (civil::date(2026, 11, 22), "Today"),
            (civil::date(2026, 11, 21), "Yesterday"),
            (civil::date(2026, 11, 20), "Friday, 20 November"),
            (civil::date(2025, 12, 31), "Wednesday, 31 December 2025"),
            (civil::date(2026, 11, 23), "Monday, 23 November"),
        ] {
            assert_eq!(day_in_words(date, today), words);
        }
    }
}
