#!/usr/bin/env bash
# Drives the real window, as tests/desktop/story.py tells it: under an X server, a D-Bus session and a file portal of its
# own. Usage: tests/window.sh [PROGRAM], by default target/debug/throng. Status 77: skipped, something is missing.
# The pictures and logs of the run are left in target/window.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly OVERALL_TIMEOUT_SECS=280
program=${1:-target/debug/throng}
python=/usr/bin/python3    # the one that Debian's gi is installed for

missing=()
for tool in Xvfb xdpyinfo xdotool import dbus-run-session gdbus; do
    command -v "$tool" >/dev/null || missing+=("$tool")
done
[ -x /usr/libexec/at-spi-bus-launcher ] || missing+=(at-spi2-core)
[ -x /usr/libexec/xdg-desktop-portal ] || missing+=(xdg-desktop-portal)
[ -x /usr/libexec/xdg-desktop-portal-gtk ] || missing+=(xdg-desktop-portal-gtk)
"$python" -c 'import gi; gi.require_version("Atspi", "2.0")' 2>/dev/null || missing+=(gir1.2-atspi-2.0)
if [ ${#missing[@]} -gt 0 ]; then
    echo "The real window is skipped: ${missing[*]} missing. CONTRIBUTING.md names the packages."
    exit 77
fi
[ -x "$program" ] || { echo "There is no $program: run cargo build first."; exit 1; }

results=$PWD/target/window
scratch=$(mktemp -d)
xvfb=
clean_up() {
    [ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null || true
    [ -z "$xvfb" ] || wait "$xvfb" 2>/dev/null || true
    rm -rf "$scratch"
}
trap clean_up EXIT
rm -rf "$results"
mkdir -p "$results"

# A home of its own, so that nobody's settings change what is seen.
export HOME=$scratch/home XDG_RUNTIME_DIR=$scratch/run
mkdir -p "$HOME"
mkdir -m 0700 "$XDG_RUNTIME_DIR"
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME
export GTK_A11Y=none    # the dialog is driven by keys

# The server chooses a free display by itself and says which.
Xvfb -displayfd 3 -screen 0 2400x1600x24 -nolisten tcp 3>"$scratch/display" 2>"$results/xvfb.log" &
xvfb=$!
for _ in $(seq 100); do
    [ ! -s "$scratch/display" ] || break
    sleep 0.1
done
[ -s "$scratch/display" ] || { echo "Xvfb did not start:"; cat "$results/xvfb.log"; exit 1; }
DISPLAY=:$(cat "$scratch/display")
export DISPLAY

# Assistive technology is asked for before the program starts: AccessKit is silent until then.
timeout --kill-after=10 "$OVERALL_TIMEOUT_SECS" dbus-run-session -- bash -c '
    gdbus call --session --dest org.a11y.Bus --object-path /org/a11y/bus \
        --method org.freedesktop.DBus.Properties.Set org.a11y.Status IsEnabled "<true>" >/dev/null &&
        exec "$@" >&3 2>&3' story "$python" tests/desktop/story.py "$(realpath "$program")" "$results" "$scratch" \
    3>&1 >"$results/session.log" 2>&1
