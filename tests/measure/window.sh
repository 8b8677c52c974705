#!/usr/bin/env bash
# Measures Throng's window beside an empty one of the same renderer: start with 1,000,000 messages stored, memory with 10
# chats, processor time at rest, shown and minimised. Needs Xvfb, x11-utils, xdotool, openbox and, built before:
#     cargo build --release --bins --examples
set -euo pipefail
cd "$(dirname "$0")/../.."

built=${CARGO_TARGET_DIR:-target}/release
for tool in Xvfb xdpyinfo xdotool openbox; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install xvfb x11-utils xdotool openbox"; exit 1; }
done
for program in throng examples/empty_window examples/fill_profile; do
    [ -x "$built/$program" ] || { echo "$built/$program is missing: cargo build --release --bins --examples"; exit 1; }
done

scratch=$(mktemp -d)
started=()
clean_up() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$scratch"
}
trap clean_up EXIT

export XDG_RUNTIME_DIR=$scratch/run
mkdir -m 0700 "$XDG_RUNTIME_DIR"
unset WAYLAND_DISPLAY
Xvfb -displayfd 3 -screen 0 1600x1000x24 -nolisten tcp 3>"$scratch/display" 2>/dev/null &
started+=($!)
for _ in $(seq 100); do
    [ ! -s "$scratch/display" ] || break
    sleep 0.1
done
DISPLAY=:$(cat "$scratch/display")
export DISPLAY
xdpyinfo >/dev/null

"$built/examples/fill_profile" "$scratch/million" 1 1000000
"$built/examples/fill_profile" "$scratch/hundred" 1 100
"$built/examples/fill_profile" "$scratch/ten" 10 200
empty=$built/examples/empty_window
throng() { echo "$built/throng --listen 127.0.0.1:0 --no-discovery --profile $scratch/$1"; }

echo
echo "Start, with 1,000,000 messages in one chat, with 100, and with an empty profile (aim: first frame within 1.2 times of"
echo "the last; within 1.3 times of the empty window's)"
python3 tests/measure/windows.py --runs 11 "$empty" "$(throng million)" "$(throng hundred)" "$(throng none)"
echo
echo "Memory, with 10 chats (aim: at most 40 MB over the empty window)"
python3 tests/measure/windows.py --runs 3 "$empty" "$(throng ten)"
echo
openbox --sm-disable 2>/dev/null &
started+=($!)
sleep 1
echo "At rest for 10 s, shown (aim: 0 or 1 ticks of 10 ms)"
python3 tests/measure/windows.py --runs 3 --rest 10 "$empty" "$(throng ten)"
echo
echo "At rest for 10 s, minimised (aim: 0 or 1 ticks of 10 ms)"
python3 tests/measure/windows.py --runs 3 --rest 10 --minimised "$empty" "$(throng ten)"
