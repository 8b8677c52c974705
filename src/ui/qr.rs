//! A QR code of an invite link (ISO/IEC 18004), for a telephone to read from the window or from a picture.

use egui::{Color32, Mesh, Rect, Response, Role, Sense, Shape, Ui, Vec2, WidgetInfo, pos2};

/// The white that readers need on each side, in modules (ISO/IEC 18004).
const MARGIN: usize = 4;

/// A module's side in the saved picture, in pixels: 2 to 3 cm in all on paper at 600 dots an inch, and still sharp
/// when a mail program scales it down by half. A guess.
const PNG_MODULE_PX: usize = 8;

/// A QR code. What it holds is as secret as the text it was made from.
#[derive(Clone, PartialEq, Eq)]
pub struct QrCode {
    /// Modules on a side, without the margin.
    width: usize,
    /// Row by row; true is dark.
    modules: Vec<bool>,
}

impl QrCode {
    /// Encodes a text, so that it can be read with 15 % of it covered (error correction level M). `None` if it is longer than
    /// some 2,300 bytes.
    pub fn new(text: &str) -> Option<Self> {
        let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).ok()?;
        Some(Self {
            width: code.width(),
            modules: code
                .to_colors()
                .into_iter()
                .map(|color| color == qrcode::Color::Dark)
                .collect(),
        })
    }

    /// Paints it, with its margin, in the middle of a square of the given side in points; a screen reader says the
    /// name. It is dark on white in every theme, since many readers take no other.
    pub fn ui(&self, ui: &mut Ui, side_points: f32, name: &str) -> Response {
        let side = self.side_with_margin();
        let pixels_per_point = ui.pixels_per_point();
        // Modules are whole pixels wide: else some would look wider than others, and edges grey.
        let module_px = (side_points * pixels_per_point / side as f32).floor().max(1.0);
        let square = Vec2::splat(side_points.max(module_px * side as f32 / pixels_per_point));

        let (rect, response) = ui.allocate_exact_size(square, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        if ui.is_rect_visible(rect) {
            let corner_px = |center: f32| (center * pixels_per_point - module_px * side as f32 / 2.0).round();
            let (left, top) = (corner_px(rect.center().x), corner_px(rect.center().y));
            let area = |column: usize, row: usize, columns: usize, rows: usize| {
                let at =
                    |corner: f32, modules: usize| (corner + modules as f32 * module_px) / pixels_per_point;
                Rect::from_min_max(
                    pos2(at(left, column), at(top, row)),
                    pos2(at(left, column + columns), at(top, row + rows)),
                )
            };
            // A mesh, since the edges of other shapes are smoothed.
            let mut mesh = Mesh::default();
            mesh.add_colored_rect(area(0, 0, side, side), Color32::WHITE);
            for (column, row, len) in self.dark_runs() {
                mesh.add_colored_rect(area(MARGIN + column, MARGIN + row, len, 1), Color32::BLACK);
            }
            ui.painter().add(Shape::mesh(mesh));
        }
        response
    }

    /// A picture of it, with its margin: black and white, 8 pixels a module.
    pub fn to_png(&self) -> Vec<u8> {
        let side = self.side_with_margin();
        let side_px = side * PNG_MODULE_PX;
        let mut rows = Vec::new();
        for row in 0..side {
            // A pixel is a bit, 1 for white, and 8 of them a module: so a module is a byte in each of 8 rows.
            let line: Vec<u8> = (0..side)
                .map(|column| if self.is_dark(column, row) { 0 } else { 0xFF })
                .collect();
            rows.extend(line.repeat(PNG_MODULE_PX));
        }

        let mut file = Vec::new();
        let side_px = u32::try_from(side_px).expect("a QR code has at most 177 modules on a side");
        let mut encoder = png::Encoder::new(&mut file, side_px, side_px);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        encoder
            .write_header()
            .and_then(|mut writer| {
                writer.write_image_data(&rows)?;
                writer.finish()
            })
            .expect("memory takes all that is written, and the picture has the size it says");
        file
    }

    fn side_with_margin(&self) -> usize {
        self.width + 2 * MARGIN
    }

    /// Whether the module is dark, counted from the margin's corner.
    fn is_dark(&self, column: usize, row: usize) -> bool {
        let inside = MARGIN..MARGIN + self.width;
        inside.contains(&column)
            && inside.contains(&row)
            && self.modules[(row - MARGIN) * self.width + (column - MARGIN)]
    }

    /// Dark modules that stand side by side, without the margin: column, row, how many.
    fn dark_runs(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.modules
            .chunks(self.width)
            .enumerate()
            .flat_map(|(row, modules)| {
                let mut column = 0;
                modules.chunk_by(|a, b| a == b).filter_map(move |run| {
                    let start = column;
                    column += run.len();
                    run[0].then_some((start, row, run.len()))
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use egui::{Theme, vec2};
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;

    use super::*;

    const LINK: &str = "throng:AQGKiOPdf-Bz2-0000_aLinkOfAPublicChatIsSome_260_CharactersLong-and-mixed";

    /// What is painted at that scale, a byte a pixel; nothing of it may lie between pixels.
    fn painted(code: &QrCode, pixels_per_point: f32, theme: Theme) -> Vec<Vec<u8>> {
        let harness = Harness::builder()
            .with_size(vec2(400.0, 400.0))
            .with_pixels_per_point(pixels_per_point)
            .with_theme(theme)
            .build_ui(|ui| {
                // Off the grid, as in the midst of a dialog.
                ui.add_space(7.3);
                code.ui(ui, 300.0, "Picture of the link");
            });
        assert!(
            harness
                .query_by_role_and_label(Role::Image, "Picture of the link")
                .is_some()
        );
        let meshes = harness
            .output()
            .shapes
            .iter()
            .filter_map(|clipped| match &clipped.shape {
                Shape::Mesh(mesh) => Some(mesh),
                _ => None,
            });
        let side_px = (400.0 * pixels_per_point) as usize;
        let mut picture = vec![vec![0x80; side_px]; side_px];
        for corners in meshes.flat_map(|mesh| mesh.vertices.chunks(4)) {
            let on_pixel = |points: f32| {
                let pixels = points * pixels_per_point;
                assert!(
                    (pixels - pixels.round()).abs() < 0.01,
                    "{pixels} is between pixels"
                );
                pixels.round() as usize
            };
            let points: Vec<_> = corners.iter().map(|corner| corner.pos).collect();
            let area = Rect::from_points(&points);
            for line in &mut picture[on_pixel(area.top())..on_pixel(area.bottom())] {
                line[on_pixel(area.left())..on_pixel(area.right())].fill(corners[0].color.r());
            }
        }
        picture
    }

    #[test]
    fn what_is_painted_can_be_read_at_every_scale_in_both_themes() {
        let code = QrCode::new(LINK).expect("it is short");
        for pixels_per_point in [1.0, 1.25, 2.0] {
            for theme in [Theme::Dark, Theme::Light] {
                let pixels = painted(&code, pixels_per_point, theme);
                let mut picture =
                    rqrr::PreparedImage::prepare_from_greyscale(pixels.len(), pixels.len(), |x, y| {
                        pixels[y][x]
                    });
                let grids = picture.detect_grids();
                assert_eq!(grids.len(), 1, "codes in the picture");
                assert_eq!(grids[0].decode().expect("it is undamaged").1, LINK);
            }
        }
    }

    #[test]
    fn what_is_too_long_has_no_code() {
        assert!(QrCode::new(&"a".repeat(2_331)).is_some());
        assert!(QrCode::new(&"a".repeat(2_332)).is_none());
    }
}
