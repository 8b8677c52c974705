//! Whether pictures can be drawn here.

use std::panic;
use std::sync::OnceLock;

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
