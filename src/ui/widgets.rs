//! Widgets that the window's parts share: named icon buttons, badges, form fields, the frame of a dialog.

use egui::{
    Align, Align2, Button, CornerRadius, Frame, Id, Key, KeyboardShortcut, Label, Layout, Margin, Modal,
    Modifiers, Response, RichText, ScrollArea, Sense, Shape, Stroke, TextEdit, Ui, UiBuilder, WidgetInfo,
    vec2,
};

use super::icons::Icon;
use super::theme::{self, Tokens, size};
use crate::model::{Connection, Member, Status};

/// A button with an icon only. `name` is what it does: for the ear, the tests, and the pointer that rests on it.
pub fn icon_button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    icon_button_sized(ui, icon, name, 28.0)
}

/// As [`icon_button`], with a side in points.
pub fn icon_button_sized(ui: &mut Ui, icon: Icon, name: &str, side: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, ui.is_enabled(), name));
    if ui.is_rect_visible(rect) {
        let tokens = theme::tokens(ui);
        let lit = response.hovered() || response.has_focus() || response.is_pointer_button_down_on();
        if lit {
            ui.painter()
                .rect_filled(rect, CornerRadius::same(size::ROUNDING), tokens.selected);
        }
        focus_ring(ui, &response);
        let glyph = if side < 24.0 { size::ICON - 3.0 } else { size::ICON };
        let color = if lit { tokens.text } else { tokens.weak };
        ui.painter().text(
            rect.center(),
            Align2::CENTER_CENTER,
            icon.unicode(),
            theme::icon_font(glyph),
            color,
        );
    }
    response.on_hover_text(name)
}

/// Shows that the keyboard is at something that egui does not paint by itself.
pub fn focus_ring(ui: &Ui, response: &Response) {
    if response.has_focus() {
        let ring = Stroke::new(2.0, theme::tokens(ui).accent);
        let rounding = CornerRadius::same(size::ROUNDING);
        ui.painter().rect_stroke(
            response.rect.shrink(1.0),
            rounding,
            ring,
            egui::StrokeKind::Inside,
        );
    }
}

/// The main button of a dialog.
pub fn primary_button(ui: &mut Ui, text: &str, enabled: bool) -> Response {
    let fill = theme::tokens(ui).accent_fill;
    filled_button(ui, text, fill, enabled)
}

/// As [`primary_button`], for something that can't be undone.
pub fn danger_button(ui: &mut Ui, text: &str, enabled: bool) -> Response {
    let fill = theme::tokens(ui).red;
    filled_button(ui, text, fill, enabled)
}

fn filled_button(ui: &mut Ui, text: &str, fill: egui::Color32, enabled: bool) -> Response {
    let on_fill = theme::tokens(ui).on_accent;
    let words = RichText::new(text).font(theme::nick()).color(on_fill);
    let button = Button::new(words).fill(fill).stroke(Stroke::NONE);
    sized_button(ui, button, text, enabled)
}

/// A button of second rank, as large as [`primary_button`].
pub fn secondary_button(ui: &mut Ui, text: &str, enabled: bool) -> Response {
    sized_button(ui, Button::new(text), text, enabled)
}

/// As wide as its words, but not much narrower than others, with the words in the middle.
fn sized_button(ui: &mut Ui, button: Button<'_>, text: &str, enabled: bool) -> Response {
    let words = ui
        .painter()
        .layout_no_wrap(text.to_owned(), theme::nick(), egui::Color32::PLACEHOLDER);
    let width = (words.size().x + 2.0 * ui.spacing().button_padding.x).max(80.0);
    ui.add_enabled_ui(enabled, |ui| {
        ui.add_sized(vec2(width, size::BUTTON_HEIGHT), button)
    })
    .inner
}

/// A button with an icon and words; the words alone are its name.
pub fn labelled_button(ui: &mut Ui, icon: Icon, text: &str, enabled: bool) -> Response {
    let button = ui.add_enabled(
        enabled,
        Button::new((theme::icon(icon), text)).min_size(vec2(80.0, size::BUTTON_HEIGHT)),
    );
    button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, enabled, text));
    button
}

/// As [`labelled_button`], for something that the user may not always do; then it says why. Returns whether it was pressed.
pub fn allowed_button(ui: &mut Ui, icon: Icon, text: &str, may: &Result<(), String>) -> bool {
    let button = labelled_button(ui, icon, text, may.is_ok());
    with_reason(button, may.as_ref().err().map(String::as_str)).clicked()
}

/// Why something can't be used: for the pointer that rests on it, and for the ear.
pub fn with_reason(response: Response, reason: Option<&str>) -> Response {
    let Some(reason) = reason else { return response };
    response.ctx.accesskit_node_builder(response.id, |node| {
        node.set_description(reason);
    });
    response.on_disabled_hover_text(reason)
}

/// As [`labelled_button`], without a frame while the pointer is elsewhere.
pub fn flat_button(ui: &mut Ui, icon: Icon, text: &str, name: &str, enabled: bool) -> Response {
    let button = if text.is_empty() {
        Button::new(theme::icon(icon))
    } else {
        Button::new((theme::icon(icon), text))
    };
    let button = button
        .frame_when_inactive(false)
        .min_size(vec2(28.0, 28.0))
        .gap(6.0);
    let button = ui.add_enabled(enabled, button);
    button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, enabled, name));
    button
}

/// A number in a pill, or nothing for 0. Mentions stand out, mere unread messages do not shout.
pub fn badge_ui(ui: &mut Ui, unread: u32, mentions: u32) {
    let Some(text) = badge_text(unread, mentions) else {
        return;
    };
    let tokens = theme::tokens(ui);
    let (fill, color) = if mentions > 0 {
        (tokens.accent_fill, tokens.on_accent)
    } else {
        (tokens.weak.gamma_multiply(0.3), tokens.text)
    };
    let galley = ui.painter().layout_no_wrap(text, theme::meta_strong(), color);
    let width = (galley.size().x + 10.0).max(18.0);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 18.0), Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(9), fill);
    ui.painter()
        .galley(rect.center() - galley.size() / 2.0, galley, color);
}

/// How wide [`badge_ui`] will be at most, so that room can be left for it.
pub const BADGE_WIDTH: f32 = 36.0;

/// What a badge says; nothing for 0.
pub fn badge_text(unread: u32, mentions: u32) -> Option<String> {
    let count = |n: u32| if n > 99 { "99+".to_owned() } else { n.to_string() };
    match (unread, mentions) {
        (0, _) => None,
        (_, 0) => Some(count(unread)),
        (_, mentions) => Some(format!("@{}", count(mentions))),
    }
}

/// The same in words, for the name of a tab or a row.
pub fn unread_words(unread: u32, mentions: u32) -> String {
    match (unread, mentions) {
        (0, _) => String::new(),
        (unread, 0) => format!(", {unread} unread"),
        (unread, 1) => format!(", {unread} unread, 1 mention"),
        (unread, mentions) => format!(", {unread} unread, {mentions} mentions"),
    }
}

/// The dot that stands for a member's presence; the word for it appears under the pointer.
pub fn presence_dot(ui: &mut Ui, member: &Member) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
    let tokens = theme::tokens(ui);
    let dot = if member.online {
        Shape::circle_filled(rect.center(), 4.0, status_color(member.status, tokens))
    } else {
        // A ring, so that it differs by more than its colour.
        Shape::circle_stroke(rect.center(), 3.5, Stroke::new(1.5, tokens.weak))
    };
    ui.painter().add(dot);
    response.on_hover_text(member.presence())
}

/// The colour of a status.
pub fn status_color(status: Status, tokens: &Tokens) -> egui::Color32 {
    match status {
        Status::Online => tokens.green,
        Status::Away => tokens.amber,
        Status::Busy => tokens.red,
    }
}

/// The colour of a connection.
pub fn connection_color(connection: Connection, tokens: &Tokens) -> egui::Color32 {
    match connection {
        Connection::Linked(_) => tokens.green,
        Connection::Alone => tokens.weak,
        Connection::Looking => tokens.amber,
        Connection::Nobody | Connection::Refused => tokens.red,
    }
}

/// A text field under its label.
pub fn field_ui(ui: &mut Ui, label: &str, hint: &str, text: &mut String) -> Response {
    field_with(ui, label, |ui| {
        ui.add(
            TextEdit::singleline(text)
                .hint_text(hint)
                .desired_width(f32::INFINITY)
                .margin(Margin::symmetric(8, 6)),
        )
    })
}

/// A text field under its label that says how many bytes it still has room for.
pub fn counted_field_ui(
    ui: &mut Ui,
    label: &str,
    hint: &str,
    text: &mut String,
    limit_bytes: usize,
) -> Response {
    let edit = field_ui(ui, label, hint, text);
    let tokens = theme::tokens(ui);
    let length = text.trim().len();
    let (words, color) = match limit_bytes.checked_sub(length) {
        Some(left) => (format!("{left} left"), tokens.weak),
        None => (format!("{} too long", length - limit_bytes), tokens.red),
    };
    // In the line of the label, at its right.
    let at = egui::pos2(edit.rect.right(), edit.rect.top() - size::GRID);
    ui.painter()
        .text(at, Align2::RIGHT_BOTTOM, &words, theme::meta(), color);
    edit.ctx.accesskit_node_builder(edit.id, |node| {
        node.set_description(words.as_str());
    });
    edit
}

/// A text field under its label, with the button that does something with what is typed. Whether it was pressed.
pub fn field_with_button(
    ui: &mut Ui,
    label: &str,
    hint: &str,
    text: &mut String,
    button: &str,
    enabled: bool,
) -> bool {
    ui.horizontal_top(|ui| {
        let width = ui.available_width() - 88.0;
        ui.allocate_ui(vec2(width, 0.0), |ui| field_ui(ui, label, hint, text));
        let filled = !text.trim().is_empty();
        ui.vertical(|ui| {
            // Beside the field, not beside its label.
            ui.add_space(18.0);
            secondary_button(ui, button, enabled && filled).clicked()
        })
        .inner
    })
    .inner
}

/// A field of several lines under its label.
pub fn area_ui(ui: &mut Ui, label: &str, hint: &str, rows: usize, text: &mut String) -> Response {
    field_with(ui, label, |ui| {
        // What others made may be long: it scrolls, so that the buttons below stay in reach.
        let line = ui.text_style_height(&egui::TextStyle::Monospace);
        ScrollArea::vertical()
            .id_salt(label)
            .max_height(line * rows as f32 + 16.0)
            .show(ui, |ui| {
                ui.add(
                    TextEdit::multiline(text)
                        // Enter is for the dialog.
                        .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter))
                        .font(theme::mono())
                        .hint_text(hint)
                        .desired_rows(rows)
                        .desired_width(f32::INFINITY)
                        .margin(Margin::symmetric(8, 6)),
                )
            })
            .inner
    })
}

/// What `add` paints, under its label.
pub(super) fn field_with(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui) -> Response) -> Response {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = size::GRID;
        let tokens = theme::tokens(ui);
        let label = ui.label(RichText::new(label).font(theme::meta_strong()).color(tokens.weak));
        add(ui).labelled_by(label.id)
    })
    .inner
}

/// A sentence in small grey type.
pub fn hint_ui(ui: &mut Ui, text: impl Into<String>) -> Response {
    let weak = theme::tokens(ui).weak;
    ui.add(Label::new(RichText::new(text).font(theme::meta()).color(weak)).wrap())
}

/// What failed, with the icon that says so without colour.
pub fn error_ui(ui: &mut Ui, text: &str) -> Response {
    let red = theme::tokens(ui).red;
    outcome_ui(ui, Icon::CircleAlert, red, text)
}

/// Information, with its icon.
pub fn note_ui(ui: &mut Ui, icon: Icon, text: &str) -> Response {
    let amber = theme::tokens(ui).amber;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        line_icon(ui, icon, amber, size::BODY_LINE);
        let words = RichText::new(text)
            .color(amber)
            .line_height(Some(size::BODY_LINE));
        ui.vertical(|ui| ui.add(Label::new(words).wrap())).inner
    })
    .inner
}

/// An icon before the first of some lines of text, in the middle of its height.
pub fn line_icon(ui: &mut Ui, icon: Icon, color: egui::Color32, line_height: f32) {
    let side = (line_height - size::GRID).min(size::ICON);
    let (rect, _) = ui.allocate_exact_size(vec2(side, line_height), Sense::hover());
    ui.painter().text(
        rect.center(),
        Align2::CENTER_CENTER,
        icon.unicode(),
        theme::icon_font(side),
        color,
    );
}

/// What was done, with the icon that says so without colour.
pub fn done_ui(ui: &mut Ui, text: &str) -> Response {
    let green = theme::tokens(ui).green;
    outcome_ui(ui, Icon::CircleCheck, green, text)
}

fn outcome_ui(ui: &mut Ui, icon: Icon, color: egui::Color32, text: &str) -> Response {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.label(
            RichText::new(icon.unicode())
                .font(theme::icon_font(14.0))
                .color(color),
        );
        ui.vertical(|ui| ui.add(Label::new(RichText::new(text).color(color)).wrap()))
            .inner
    })
    .inner
}

/// A value in monospaced type with a button that copies it; the words to copy, if it was pressed.
pub fn copyable_ui(ui: &mut Ui, label: &str, value: &str) -> Option<String> {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let tokens = theme::tokens(ui);
        ui.label(RichText::new(label).font(theme::meta_strong()).color(tokens.weak));
        ui.horizontal_top(|ui| {
            let width = ui.available_width() - 36.0;
            ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.set_min_width(width);
                ui.add(Label::new(RichText::new(value).font(theme::mono())).wrap());
            });
            let name = format!("Copy {}", lower_first(label));
            icon_button(ui, Icon::Copy, &name)
                .clicked()
                .then(|| value.to_owned())
        })
        .inner
    })
    .inner
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

/// A dialog in the middle of the window over everything else. The second result: the user wants to close it.
pub fn dialog_ui<R>(ui: &Ui, title: &str, width: f32, contents: impl FnOnce(&mut Ui) -> R) -> (R, bool) {
    let ctx = ui.ctx();
    let room = ctx.content_rect();
    let width = width.min(room.width() - 32.0);
    let tokens = theme::tokens(ui);
    let id = Id::unique(("dialog", title));
    let frame = Frame::new()
        .fill(tokens.panel)
        .stroke(Stroke::new(1.0, tokens.border))
        .corner_radius(CornerRadius::same(10))
        .shadow(ui.visuals().window_shadow)
        .inner_margin(Margin {
            left: 20,
            right: 20,
            top: 14,
            bottom: 20,
        });
    let area = Modal::default_area(id).accessible_name(title);
    let modal = Modal::new(id).area(area).frame(frame).show(ctx, |ui| {
        ui.set_width(width - 40.0);
        let mut closed = false;
        ui.horizontal(|ui| {
            ui.add(Label::new(RichText::new(title).font(theme::header())).selectable(false));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                closed = icon_button(ui, Icon::X, "Close").clicked();
            });
        });
        ui.add_space(size::GRID);
        let most = dialog_height(ui);
        let inner = ScrollArea::vertical()
            .max_height(most)
            // Otherwise it would stay as high as it was with less in it.
            .min_scrolled_height(most)
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                contents(ui)
            })
            .inner;
        (inner, closed)
    });
    // It is put in the middle by the size that it had a frame before.
    let size = modal.response.rect.size();
    let before = ctx.data_mut(|data| std::mem::replace(data.get_temp_mut_or(id, size), size));
    if before != size {
        ctx.request_repaint();
    }
    let closes = modal.should_close();
    let (inner, closed) = modal.inner;
    (inner, closed || closes)
}

/// How high the contents of a dialog may be, in points, before they have to scroll.
fn dialog_height(ui: &Ui) -> f32 {
    (ui.ctx().content_rect().height() - 120.0).max(80.0)
}

/// The content above the buttons of a dialog. It scrolls if it is higher than the window, so that the buttons stay in
/// reach.
pub fn above_buttons<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    /// The buttons and the space above them.
    const FOOT_HEIGHT: f32 = 52.0;
    let most = (dialog_height(ui) - FOOT_HEIGHT).max(80.0);
    ScrollArea::vertical()
        .id_salt("above the buttons")
        .max_height(most)
        .min_scrolled_height(most)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            contents(ui)
        })
        .inner
}

/// The buttons at the foot of a dialog, at its right; `add` lays them out from right to left.
pub fn dialog_buttons<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.add_space(size::GRID * 2.0);
    let room = vec2(ui.available_width(), size::BUTTON_HEIGHT);
    ui.allocate_ui_with_layout(room, Layout::right_to_left(Align::Center), add)
        .inner
}

/// A sentence of body text, as wide as there is room.
pub fn paragraph_ui(ui: &mut Ui, text: &str) -> Response {
    ui.vertical(|ui| ui.add(Label::new(RichText::new(text).line_height(Some(size::BODY_LINE))).wrap()))
        .inner
}

/// Makes the radio buttons and check boxes of a `Ui` stand out from a dialog.
pub fn choice_style(ui: &mut Ui) {
    let tokens = theme::tokens(ui);
    ui.visuals_mut().override_text_color = Some(tokens.text);
    let widgets = &mut ui.visuals_mut().widgets;
    for visuals in [&mut widgets.inactive, &mut widgets.hovered] {
        visuals.bg_fill = tokens.base;
        visuals.bg_stroke = Stroke::new(1.0, tokens.weak);
        visuals.fg_stroke = Stroke::new(2.0, tokens.accent);
    }
}

/// A row as wide as there is room that can be clicked, with `paint` for what stands in it.
pub fn row_ui(
    ui: &mut Ui,
    height: f32,
    selected: bool,
    info: WidgetInfo,
    paint: impl FnOnce(&mut Ui),
) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response.widget_info(|| info.clone());
    if ui.is_rect_visible(rect) {
        let tokens = theme::tokens(ui);
        let fill = match (selected, response.hovered()) {
            (true, _) => Some(tokens.selected),
            (false, true) => Some(tokens.hover),
            (false, false) => None,
        };
        if let Some(fill) = fill {
            ui.painter()
                .rect_filled(rect, CornerRadius::same(size::ROUNDING), fill);
        }
        focus_ring(ui, &response);
        let inside = rect.shrink2(vec2(8.0, 2.0));
        let layout = Layout::left_to_right(Align::Center);
        let mut child = ui.new_child(
            UiBuilder::new()
                .max_rect(inside)
                .layout(layout)
                .id_salt(response.id),
        );
        child.set_clip_rect(rect.intersect(ui.clip_rect()));
        paint(&mut child);
    }
    response
}

/// A label that takes no clicks and ends in dots where the room ends.
pub fn plain_label(ui: &mut Ui, text: RichText) -> Response {
    ui.add(Label::new(text).selectable(false).truncate())
}
