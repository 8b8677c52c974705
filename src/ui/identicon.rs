//! The identicon (the idea is Park's, 2007): a small picture drawn from a member's key. A nick can be copied, a key can't.

use egui::{Color32, Mesh, Painter, Pos2, Rect, Response, Sense, Shape, Ui, Vec2, pos2};

use crate::ui::theme::{self, Tokens};

/// Cells on a side. The left half is mirrored, so three columns are free: 3^15 patterns in some hundred hues.
const CELLS: usize = 5;

/// Paints the picture of a key as a square of the given side in points. Screen readers skip it: the text beside it names the
/// member.
pub fn identicon_ui(ui: &mut Ui, key: &[u8; 32], size: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(size), Sense::hover());
    if ui.is_rect_visible(rect) {
        paint(ui.painter(), rect, key, theme::tokens(ui));
    }
    response
}

/// Paints the picture of a key into a square.
pub fn paint(painter: &Painter, square: Rect, key: &[u8; 32], tokens: &Tokens) {
    let color = theme::nick_color(key, tokens);
    let ground = mix(color, tokens.base, 0.2);
    painter.rect_filled(square, square.width() * 0.2, ground);

    // Cells are whole pixels wide and the pattern is centred, so that small pictures are crisp too.
    let pixels = painter.pixels_per_point();
    let cell = (square.width() * 0.7 * pixels / CELLS as f32).round().max(1.0) / pixels;
    let corner = square.center() - Vec2::splat(cell * CELLS as f32 / 2.0);
    let corner = pos2(on_pixel(corner.x, pixels), on_pixel(corner.y, pixels));
    let mut mesh = Mesh::default();
    for (row, column, shade) in cells(key) {
        let shade = match shade {
            Shade::Ground => continue,
            Shade::Half => mix(color, ground, 0.5),
            Shade::Full => color,
        };
        for column in [column, CELLS - 1 - column] {
            let at: Pos2 = corner + Vec2::new(column as f32, row as f32) * cell;
            mesh.add_colored_rect(Rect::from_min_size(at, Vec2::splat(cell)), shade);
            if column * 2 + 1 == CELLS {
                break;
            }
        }
    }
    painter.add(Shape::mesh(mesh));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shade {
    Ground,
    Half,
    Full,
}

/// The cells of the left half and the middle: row, column, shade. Every cell depends on the whole key; otherwise somebody
/// could search for a key with the few bits that matter.
fn cells(key: &[u8; 32]) -> impl Iterator<Item = (usize, usize, Shade)> {
    // FNV-1a, and the last steps of MurmurHash3 to mix it. It only has to distribute well.
    let mut hash = key.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    });
    for factor in [0xFF51_AFD7_ED55_8CCD, 0xC4CE_B9FE_1A85_EC53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^= hash >> 33;
    let half = CELLS.div_ceil(2);
    (0..CELLS * half).map(move |cell| {
        let shade = match (hash >> (4 * cell)) & 15 {
            0..=6 => Shade::Ground,
            7..=9 => Shade::Half,
            _ => Shade::Full,
        };
        (cell / half, cell % half, shade)
    })
}

fn on_pixel(at: f32, pixels_per_point: f32) -> f32 {
    (at * pixels_per_point).round() / pixels_per_point
}

/// `part` of `color` upon the rest of `ground`.
fn mix(color: Color32, ground: Color32, part: f32) -> Color32 {
    ground.lerp_to_gamma(color, part)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn keys_that_differ_in_a_bit_look_different() {
        let mut seen = BTreeSet::new();
        for bit in 0..256 {
            let mut key = [0; 32];
            key[bit / 8] |= 1 << (bit % 8);
            let pattern: Vec<u8> = cells(&key).map(|(_, _, shade)| shade as u8).collect();
            assert!(
                pattern.iter().filter(|shade| **shade != 0).count() >= 2,
                "bit {bit}: {pattern:?}"
            );
            seen.insert(pattern);
        }
        assert_eq!(seen.len(), 256);
    }
}
