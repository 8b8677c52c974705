//! Whether pictures can be drawn here, and one at a time.

use std::panic;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use egui_kittest::wgpu::WgpuTestRenderer;

/// Whether there are drivers to draw pictures with. On a bare system there are none: the tests of pictures are skipped
/// there, and say so; all others need none.
#[allow(clippy::print_stderr, reason = "what is skipped is said")]
pub fn can_draw() -> bool {
    static CAN_DRAW: OnceLock<bool> = OnceLock::new();
    *CAN_DRAW.get_or_init(|| {
        let found = panic::catch_unwind(|| drop(WgpuTestRenderer::new())).is_ok();
        if !found {
            eprintln!(
                "There are no Vulkan or OpenGL drivers here, so no pictures were compared. To compare them: apt-get \
                 install mesa-vulkan-drivers (they draw in software)."
            );
        }
        found
    })
}

/// A turn to draw and compare a picture. A driver that draws in software has all cores at work by itself, and what takes more
/// than 10 s fails: so one at a time.
pub fn turn_to_draw() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
