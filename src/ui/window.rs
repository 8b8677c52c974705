//! The real window: eframe around [`App`], with a runtime behind it.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eframe::CreationContext;
use egui::{Context, IconData, Ui, ViewportBuilder, ViewportCommand, vec2};

use super::app::App;
use super::clock::SystemClock;
use super::files::SystemFiles;
use super::theme;
use crate::runtime::{self, InviteSource, Options, OtherStart, OtherStarts};

/// The program's id on the desktop, the name of its desktop entry.
const APP_ID: &str = "throng";

/// Opens the window and runs it until it is closed. An invite that it was started with is offered there. It fails if there is
/// no display or the system gives no threads; then an error has been printed.
pub fn run(options: Options, invite: Option<InviteSource>) -> ExitCode {
    let native = eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_app_id(APP_ID)
            .with_title("Throng")
            .with_inner_size(vec2(1080.0, 720.0))
            .with_min_inner_size(vec2(360.0, 320.0))
            .with_drag_and_drop(true)
            .with_icon(icon()),
        ..Default::default()
    };
    let ended = eframe::run_native(
        "Throng",
        native,
        Box::new(|creation| Ok(Box::new(Window::open(creation, options, invite)?))),
    );
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints to stderr why there is no window, since there is nowhere else to say it.
#[allow(
    clippy::print_stderr,
    reason = "without a window there is no other place to say so"
)]
fn complain(error: &eframe::Error) {
    if let eframe::Error::AppCreation(error) = error {
        eprintln!("{error}");
        return;
    }
    eprintln!(
        "Throng could not open its window: {error}.\nIt needs a desktop (X11 or Wayland) with OpenGL. Without one, \
         `throng headless` runs the same chats without a window."
    );
}

fn icon() -> IconData {
    eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png")).unwrap_or_default()
}

/// The app in a window.
struct Window {
    app: App,
    /// Other starts with this profile.
    other_starts: OtherStarts,
    /// The system has asked the program to end.
    is_terminated: Arc<AtomicBool>,
}

impl Window {
    fn open(
        creation: &CreationContext<'_>,
        options: Options,
        invite: Option<InviteSource>,
    ) -> Result<Self, runtime::StartError> {
        let ctx = creation.egui_ctx.clone();
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || ctx.request_repaint());
        let is_terminated = Arc::new(AtomicBool::new(false));
        let (told, wake_to_end) = (Arc::clone(&is_terminated), Arc::clone(&wake));
        runtime::on_termination(move || {
            told.store(true, Ordering::Relaxed);
            wake_to_end();
        })?;
        let for_files = Arc::clone(&wake);
        let (handle, other_starts) = runtime::start_window(options, invite.clone(), move || wake())?;
        let dialog = rfd::AsyncFileDialog::new().set_parent(creation);
        let own_files = handle.own_files().clone();
        let files = SystemFiles::new(dialog, handle.tokio().clone(), own_files, for_files);
        let clock = SystemClock::start();
        let mut app = App::new(
            &creation.egui_ctx,
            Box::new(handle),
            Box::new(files),
            Box::new(clock),
        );
        if let Some(invite) = invite {
            app.open_invite(invite);
        }
        Ok(Self {
            app,
            other_starts,
            is_terminated,
        })
    }

    /// Does what other starts with this profile ask for.
    fn hear_other_starts(&mut self, ctx: &Context) {
        while let Some(start) = self.other_starts.try_recv() {
            match start {
                OtherStart::Earlier => self.app.quit(ctx),
                // Then it waits for the profile.
                OtherStart::Later(_) if self.app.is_closing() => {}
                OtherStart::Later(mut opening) => {
                    if let Some(invite) = opening.invite.take() {
                        self.app.open_invite(invite);
                    }
                    raise(ctx);
                    opening.shown();
                }
            }
        }
    }
}

/// Brings the window to the front, or has the desktop say that it wants to be there where it may not do so itself.
fn raise(ctx: &Context) {
    ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
    ctx.send_viewport_cmd(ViewportCommand::Focus);
    let attention = egui::UserAttentionType::Informational;
    ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
}

impl eframe::App for Window {
    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        if self.is_terminated.swap(false, Ordering::Relaxed) {
            self.app.quit(ctx);
        }
        self.hear_other_starts(ctx);
        self.app.logic(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.app.ui(ui);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.app.close();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        let tokens = if visuals.dark_mode {
            &theme::DARK
        } else {
            &theme::LIGHT
        };
        tokens.base.to_normalized_gamma_f32()
    }
}
