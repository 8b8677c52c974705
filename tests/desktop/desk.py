"""Hands and eyes for a program with a window: AT-SPI to find and use its controls by name, X11 for the rest.

Nothing here waits for ever: whatever is waited for raises `Missing` when its time is over.
"""

import os
import subprocess
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

PATIENCE_SECS = 20
DIALOG_SECS = 20
DIALOG_TRIES = 3


class Missing(Exception):
    """Something did not appear in time."""


def wait_for(what, look, patience_secs=PATIENCE_SECS):
    """Calls `look` until it yields something, and returns that."""
    deadline = time.monotonic() + patience_secs
    while True:
        try:
            found = look()
        except GLib.Error:  # it went away while being looked at
            found = None
        if found:
            return found
        if time.monotonic() > deadline:
            raise Missing(f"{what} did not appear within {patience_secs} s")
        time.sleep(0.1)


def xdotool(*arguments):
    done = subprocess.run(["xdotool", *map(str, arguments)], capture_output=True, text=True, timeout=15)
    return done.stdout.split()


def children(node):
    found = (node.get_child_at_index(index) for index in range(node.get_child_count()))
    return [child for child in found if child]


def walk(node):
    yield node
    for child in children(node):
        yield from walk(child)


class Program:
    """A running program with one window, which is put at a place of its own: one that is covered does not paint."""

    def __init__(self, arguments, log_path, place=(0, 0)):
        self.name = os.path.basename(arguments[0])
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.window = wait_for(f"the window of {self.name}", self._visible_window)
        xdotool("windowmove", "--sync", self.window, *place)
        wait_for("its accessible tree", self._tree)

    def _visible_window(self):
        if self.process.poll() is not None:
            raise Missing(f"{self.name} ended with status {self.process.returncode}")
        windows = xdotool("search", "--onlyvisible", "--pid", self.process.pid)
        return windows[0] if windows else None

    def _tree(self):
        for program in children(Atspi.get_desktop(0)):
            if program.get_process_id() == self.process.pid and children(program):
                return program
        return None

    def nodes(self):
        tree = self._tree()
        return list(walk(tree)) if tree else []

    def find(self, name, role=None):
        """The control that is called so, in whatever case, if it is there."""
        for node in self.nodes():
            if (node.get_name() or "").casefold() == name.casefold() and role in (None, node.get_role_name()):
                return node
        return None

    def await_control(self, name, role=None, patience_secs=PATIENCE_SECS):
        return wait_for(f"{role or 'control'} “{name}”", lambda: self.find(name, role), patience_secs)

    def await_text(self, text, patience_secs=PATIENCE_SECS):
        """Waits until `text` stands anywhere in the window but in an entry."""

        def look():
            return any(text in (node.get_name() or "") for node in self.nodes() if node.get_role_name() != "entry")

        return wait_for(f"“{text}”", look, patience_secs)

    def press(self, name, role="push button"):
        button = wait_for(f"{role} “{name}”, enabled", lambda: self._enabled(name, role))
        Atspi.Action.do_action(button, 0)

    def _enabled(self, name, role):
        node = self.find(name, role)
        return node if node and node.get_state_set().contains(Atspi.StateType.ENABLED) else None

    def write(self, name, text):
        """Replaces what stands in an entry, whatever letters it takes."""
        Atspi.EditableText.set_text_contents(self.await_control(name, "entry"), text)
        wait_for(f"“{text}” in “{name}”", lambda: self.text_of(name) == text)

    def text_of(self, name):
        entry = self.find(name, "entry")
        return Atspi.Text.get_text(entry, 0, Atspi.Text.get_character_count(entry)) if entry else None

    def key(self, keys):
        xdotool("windowfocus", "--sync", self.window, "key", keys)

    def picture(self, path):
        subprocess.run(["import", "-window", self.window, path], check=True, timeout=15)

    def ticks(self):
        """Processor time used so far, in ticks of 10 ms."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def close(self):
        """Asks the window to close, the way a window manager does, and returns the exit status."""
        close_window(self.window)
        try:
            return self.process.wait(PATIENCE_SECS)
        except subprocess.TimeoutExpired:
            raise Missing(f"{self.name} did not end within {PATIENCE_SECS} s of being closed") from None

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def describe(self):
        """All that assistive technology sees, for the log of a failure."""
        return "\n".join(f"{node.get_role_name()}: {node.get_name()!r}" for node in self.nodes())


def answer_file_dialog(title, path):
    """Types a path into the portal's file dialog that is called so, and confirms it."""
    found = wait_for(
        f"the dialog “{title}”", lambda: xdotool("search", "--onlyvisible", "--name", f"^{title}$"), DIALOG_SECS
    )
    dialog = found[0]

    def is_open():
        return dialog in xdotool("search", "--onlyvisible", "--name", f"^{title}$")

    # GTK shows the dialog before its list is filled, and drops keys until then: who sees it still open tries again.
    for _ in range(DIALOG_TRIES):
        time.sleep(1)
        if not is_open():
            return
        xdotool("windowfocus", "--sync", dialog)
        # A save dialog has the name selected, and an open dialog begins its path field with a slash.
        xdotool("key", "ctrl+a")
        xdotool("type", "--delay", 30, path)
        time.sleep(0.7)  # completion in the path field
        xdotool("key", "Return")
        for _ in range(10):
            if not is_open():
                return
            time.sleep(0.5)
    wait_for(f"the end of the dialog “{title}”", lambda: not is_open(), DIALOG_SECS)


def close_window(window):
    """Sends WM_DELETE_WINDOW."""
    import ctypes
    import ctypes.util

    class ClientMessage(ctypes.Structure):
        _fields_ = [
            ("type", ctypes.c_int),
            ("serial", ctypes.c_ulong),
            ("send_event", ctypes.c_int),
            ("display", ctypes.c_void_p),
            ("window", ctypes.c_ulong),
            ("message_type", ctypes.c_ulong),
            ("format", ctypes.c_int),
            ("data", ctypes.c_long * 5),
            ("rest_of_xevent", ctypes.c_long * 24),
        ]

    x11 = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    x11.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x11.XSendEvent.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x11.XOpenDisplay(None)
    message = ClientMessage(type=33, send_event=1, window=int(window), format=32)  # 33: ClientMessage
    message.message_type = x11.XInternAtom(display, b"WM_PROTOCOLS", 0)
    message.data[0] = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
    x11.XSendEvent(display, int(window), 0, 0, ctypes.byref(message))
    x11.XCloseDisplay(display)
