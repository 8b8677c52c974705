#!/usr/bin/env python3
"""Measures programs with a window side by side: start to first frame, memory, processor time at rest.

    windows.py [--runs N] [--rest SECONDS [--minimised]] 'PROGRAM ARGUMENTS' ['PROGRAM ARGUMENTS' ...]

Needs DISPLAY, and for windows to be minimised xdotool and a window manager. The first program is what the others are compared with. Runs alternate between the programs, so that
whatever else the machine does falls on all of them; the medians are printed.

The window is mapped by eframe when its first frame has been painted, so the moment at which the X server maps it is
that of the first frame, seen from outside and the same way for every program.
"""

import argparse
import ctypes
import ctypes.util
import os
import shlex
import signal
import statistics
import subprocess
import sys
import time

START_TIMEOUT_SECS = 30
SETTLE_SECS = 2  # until memory is read: the first frames, fonts and history are there by then


class MapWatch:
    """Hears of every top-level window that becomes visible."""

    SUBSTRUCTURE_NOTIFY_MASK = 1 << 19
    MAP_NOTIFY = 19

    def __init__(self):
        self.x11 = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
        self.x11.XOpenDisplay.restype = ctypes.c_void_p
        self.x11.XDefaultRootWindow.restype = ctypes.c_ulong
        self.x11.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
        self.x11.XSelectInput.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_long]
        self.x11.XPending.argtypes = [ctypes.c_void_p]
        self.x11.XNextEvent.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self.x11.XSync.argtypes = [ctypes.c_void_p, ctypes.c_int]
        self.display = self.x11.XOpenDisplay(None)
        if not self.display:
            sys.exit("No X display: run this under Xvfb or on a desktop with X11.")
        root = self.x11.XDefaultRootWindow(self.display)
        self.x11.XSelectInput(self.display, root, self.SUBSTRUCTURE_NOTIFY_MASK)
        self.x11.XSync(self.display, 1)

    def forget(self):
        self.x11.XSync(self.display, 1)

    def wait(self, timeout_secs):
        event = ctypes.create_string_buffer(192)  # the size of XEvent: 24 longs
        deadline = time.monotonic() + timeout_secs
        while time.monotonic() < deadline:
            while self.x11.XPending(self.display):
                self.x11.XNextEvent(self.display, event)
                if ctypes.c_int.from_buffer(event).value == self.MAP_NOTIFY:
                    return time.monotonic()
            time.sleep(0.001)
        return None


def resident_mb(pid):
    """Resident memory, and what of it is the process's own (not shared libraries and files)."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        kb = {line.split(":")[0]: int(line.split()[1]) for line in rollup if line.endswith("kB\n")}
    return kb["Rss"] / 1024, (kb["Private_Clean"] + kb["Private_Dirty"]) / 1024


def ticks(pid):
    """Processor time used so far, in ticks of 10 ms."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def minimise(pid):
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--pid", str(pid)], capture_output=True, text=True, timeout=15
    ).stdout.split()
    subprocess.run(["xdotool", "windowminimize", "--sync", found[0]], check=True, timeout=15)
    time.sleep(SETTLE_SECS)


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run_once(watch, command, rest_secs, minimised):
    watch.forget()
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        shown = watch.wait(START_TIMEOUT_SECS)
        if shown is None:
            process.kill()
            sys.exit(f"{command[0]} showed no window:\n{process.stderr.read().decode()}")
        time.sleep(SETTLE_SECS)
        resident, private = resident_mb(process.pid)
        if minimised:
            minimise(process.pid)
        before = ticks(process.pid)
        time.sleep(rest_secs)
        return (shown - began) * 1000, resident, private, ticks(process.pid) - before
    finally:
        end(process)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rest", type=float, default=0, metavar="SECONDS", help="how long to measure at rest")
    parser.add_argument("--minimised", action="store_true", help="measure it minimised")
    parser.add_argument("programs", nargs="+")
    options = parser.parse_args()

    commands = [shlex.split(program) for program in options.programs]
    watch = MapWatch()
    figures = [[] for _ in commands]
    for _ in range(options.runs):
        for figure, command in zip(figures, commands):
            figure.append(run_once(watch, command, options.rest, options.minimised))

    medians = [[statistics.median(column) for column in zip(*figure)] for figure in figures]
    first = medians[0]
    print(f"{'first frame':>12} {'to first':>9} {'resident':>10} {'its own':>10} {'over first':>11}  {'ticks':>5}")
    for command, (start_ms, resident, private, rest) in zip(commands, medians):
        print(
            f"{start_ms:9.0f} ms {start_ms / first[0]:8.2f}x {resident:7.1f} MB {private:7.1f} MB"
            f" {resident - first[1]:+8.1f} MB  {rest if options.rest else '-':>5}  {' '.join(map(os.path.basename, command[:1] + command[1:][-1:]))}"
        )


if __name__ == "__main__":
    main()
