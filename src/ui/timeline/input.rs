//! Keyboard, wheel and pointer in the timeline.

use egui::{Event, EventFilter, Key, Modifiers, PointerButton, Popup, Rect, Response, Ui};

use super::place::Placement;
use super::selection::Selection;
use super::{TimelineAction, TimelineOptions, TimelineView, paint, row_under};
use crate::model::{Row, Timeline};
use crate::ui::theme;

/// How far an arrow key goes, in points.
const ARROW_STEP: f32 = 40.0;
/// How much stays in sight when a page is turned, in points.
const PAGE_OVERLAP: f32 = 48.0;
/// Points a second that the rows move for each point that a selecting pointer is outside (a guess).
const DRAG_SPEED: f32 = 10.0;

/// Page Up and Page Down turn pages from wherever the keyboard is; the other keys are for the timeline while it has
/// the keyboard, or nothing has.
pub(super) fn keys(
    ui: &Ui,
    view: &mut TimelineView,
    timeline: &Timeline,
    options: &TimelineOptions<'_>,
    response: &Response,
    actions: &mut Vec<TimelineAction>,
) {
    if !options.keys {
        return;
    }
    let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
    let page = (response.rect.height() - PAGE_OVERLAP).max(ARROW_STEP);
    if pressed(Modifiers::SHIFT, Key::PageUp) {
        view.reveal_unread();
        view.go_where_wanted(timeline, response.rect.height(), actions);
    }
    if pressed(Modifiers::NONE, Key::PageUp) {
        view.scroll_by(page);
    }
    if pressed(Modifiers::NONE, Key::PageDown) {
        view.scroll_by(-page);
    }
    let focused = ui.memory(egui::Memory::focused);
    if focused.is_some_and(|id| id != response.id) {
        return;
    }
    let arrows = EventFilter {
        vertical_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
    if pressed(Modifiers::NONE, Key::Home) {
        view.reveal_oldest();
        view.go_where_wanted(timeline, response.rect.height(), actions);
    }
    if pressed(Modifiers::NONE, Key::End) {
        view.follow();
    }
    if pressed(Modifiers::NONE, Key::ArrowUp) {
        view.scroll_by(ARROW_STEP);
    }
    if pressed(Modifiers::NONE, Key::ArrowDown) {
        view.scroll_by(-ARROW_STEP);
    }
    if pressed(Modifiers::COMMAND, Key::A) {
        view.selection = Selection::all(timeline);
    }
    if view.selection.is_some() && pressed(Modifiers::NONE, Key::Escape) {
        view.selection = None;
    }
    if let Some(selection) = view.selection
        && ui.input(|input| input.events.contains(&Event::Copy))
    {
        actions.push(TimelineAction::CopyText(selection.text(timeline)));
    }
}

/// The wheel moves the rows under the pointer.
pub(super) fn wheel(ui: &Ui, view: &mut TimelineView, response: &Response) {
    if response.contains_pointer() {
        let points = ui.input_mut(|input| std::mem::take(&mut input.smooth_scroll_delta.y));
        view.scroll_by(points);
    }
}

/// Dragging over rows selects them; so does a click with Shift from where the selection began. A plain click lets go.
pub(super) fn pointer(
    ui: &Ui,
    view: &mut TimelineView,
    timeline: &Timeline,
    placement: &Placement,
    rect: Rect,
    response: &Response,
) {
    let row_at = |y: f32| row_under(placement, timeline, y - rect.top());
    if response.drag_started_by(PointerButton::Primary) {
        let origin = ui.input(|input| input.pointer.press_origin());
        view.selection = origin.and_then(|origin| row_at(origin.y)).map(Selection::of);
    }
    if response.dragged_by(PointerButton::Primary)
        && let Some(pointer) = response.interact_pointer_pos()
    {
        if let (Some(selection), Some(row)) = (&mut view.selection, row_at(pointer.y)) {
            selection.to = row;
        }
        let outside = (rect.top() - pointer.y).max(0.0) - (pointer.y - rect.bottom()).max(0.0);
        if outside != 0.0 {
            view.scroll_by(outside * DRAG_SPEED * ui.input(|input| input.stable_dt).min(0.1));
            ui.ctx().request_repaint();
        }
    }
    if response.clicked_by(PointerButton::Primary) {
        let row = response
            .interact_pointer_pos()
            .and_then(|pointer| row_at(pointer.y));
        view.selection = match (view.selection, row) {
            (selection, Some(row)) if ui.input(|input| input.modifiers.shift) => Some(Selection {
                from: selection.map_or(row, |selection| selection.from),
                to: row,
            }),
            _ => None,
        };
        view.revealed = None;
    }
    if response.secondary_clicked() {
        view.menu_row = response
            .interact_pointer_pos()
            .and_then(|pointer| row_at(pointer.y));
    }
}

/// What can be done with a row, or with the selected ones if it is among them.
pub(super) fn context_menu(
    view: &mut TimelineView,
    timeline: &Timeline,
    options: &TimelineOptions<'_>,
    response: &Response,
    actions: &mut Vec<TimelineAction>,
) {
    let row = view
        .menu_row
        .and_then(|key| timeline.row(timeline.index_at(key)).filter(|row| row.key == key));
    if let Some(row) = row {
        let menu = Popup::context_menu(response)
            .style(theme::menu_style)
            .width(180.0);
        menu.show(|ui| menu_ui(ui, view, timeline, options, row, actions));
    }
    if !response.context_menu_opened() {
        view.menu_row = None;
    }
}

fn menu_ui(
    ui: &mut Ui,
    view: &TimelineView,
    timeline: &Timeline,
    options: &TimelineOptions<'_>,
    row: &Row,
    actions: &mut Vec<TimelineAction>,
) {
    let selection = view.selection.filter(|selection| selection.contains(row.key));
    let mut chosen = |ui: &mut Ui, words: &str, action: TimelineAction| {
        if ui.button(words).clicked() {
            actions.push(action);
            ui.close();
        }
    };
    let copied = selection.map_or_else(|| row.copied(), |selection| selection.text(timeline));
    chosen(ui, "Copy", TimelineAction::CopyText(copied));
    chosen(
        ui,
        "Copy text",
        TimelineAction::CopyText(paint::words(row).to_owned()),
    );
    let Some(said) = row.said() else { return };
    ui.separator();
    if !said.own {
        chosen(
            ui,
            &format!("Mention {}", said.nick),
            TimelineAction::Mention(said.nick.clone()),
        );
    }
    chosen(
        ui,
        &format!("About {}", said.nick),
        TimelineAction::OpenMember(said.member),
    );
    if super::layout::has_failed(said) {
        chosen(ui, "Retry", TimelineAction::Retry(said.message));
    }
    if !said.own {
        ui.separator();
        chosen(
            ui,
            &format!("Ignore {}", said.nick),
            TimelineAction::Ignore(said.member),
        );
        if options.may_ban {
            chosen(
                ui,
                &format!("Ban {}…", said.nick),
                TimelineAction::Ban(said.member),
            );
        }
    }
}
