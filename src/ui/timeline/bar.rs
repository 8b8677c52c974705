//! The scroll bar of the timeline. Its position is an estimate where rows were never in sight; dragging it is exact.

use egui::{Id, Rect, Sense, Ui, pos2};

use crate::ui::theme::Tokens;

/// The least length of the handle, in points.
const MIN_HANDLE: f32 = 28.0;

/// What the bar shows, in points of all there is to scroll.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) total: f64,
    pub(super) offset: f64,
    pub(super) view: f32,
}

/// Where the handle was taken hold of, and where the pointer was last; kept while it is dragged.
pub(super) type Grip = Option<(f32, f32)>;

/// Paints the bar; the offset to go to, if it was moved.
pub(super) fn bar_ui(
    ui: &Ui,
    track: Rect,
    id: Id,
    extent: Extent,
    active: bool,
    grip: &mut Grip,
    tokens: &Tokens,
) -> Option<f64> {
    let hidden = extent.total - f64::from(extent.view);
    if hidden <= 1.0 {
        *grip = None;
        return None;
    }
    // 1. Size: the handle is to the track as what is seen to all there is.
    let length = (f64::from(track.height()) * f64::from(extent.view) / extent.total) as f32;
    let length = length.clamp(MIN_HANDLE.min(track.height()), track.height());
    let run = track.height() - length;
    let fraction = (extent.offset / hidden).clamp(0.0, 1.0) as f32;
    let mut top = track.top() + run * fraction;

    // 2. Response: dragging holds the handle where it was taken, a click on the track brings its middle there.
    let response = ui.interact(track, id, Sense::CLICK | Sense::DRAG);
    let pointer = response
        .interact_pointer_pos()
        .filter(|_| response.is_pointer_button_down_on());
    let moved = match pointer {
        Some(pointer) => {
            let on_handle = (top..=top + length).contains(&pointer.y);
            let (held, last) =
                grip.unwrap_or((if on_handle { pointer.y - top } else { length / 2.0 }, f32::NAN));
            *grip = Some((held, pointer.y));
            top = (pointer.y - held).clamp(track.top(), track.top() + run);
            let fraction = if run > 0.0 { (top - track.top()) / run } else { 1.0 };
            (last != pointer.y).then_some(f64::from(fraction) * hidden)
        }
        None => {
            *grip = None;
            None
        }
    };

    // 3. Paint: thin until the pointer comes near.
    if active || response.hovered() || pointer.is_some() {
        let width = if response.hovered() || pointer.is_some() {
            8.0
        } else {
            4.0
        };
        let right = track.right() - 2.0;
        let handle = Rect::from_min_max(pos2(right - width, top + 2.0), pos2(right, top + length - 2.0));
        let strength = if pointer.is_some() { 0.8 } else { 0.45 };
        ui.painter()
            .rect_filled(handle, width / 2.0, tokens.weak.gamma_multiply(strength));
    }
    moved
}
