"""Two real windows talk: the story of the README's first minute, driven by the names of the controls.

    story.py PROGRAM RESULTS SCRATCH

Pictures and logs go to the folder RESULTS, profiles and the invite to SCRATCH. `tests/window.sh` sets the stage.
"""

import contextlib
import os
import sys
import time

import desk

REST_SECS = 10
MAX_TICKS_AT_REST = 1
SECOND_WINDOW_LEFT = 1200  # beside the first, on the screen that window.sh makes


class Story:
    """Counts the steps that hold. Each needs those before it, so the first failure ends the story."""

    def __init__(self, program, results, scratch):
        self.program, self.results, self.scratch = program, results, scratch
        self.running = []
        self.passed = 0

    @contextlib.contextmanager
    def step(self, what):
        began = time.monotonic()
        yield
        self.passed += 1
        print(f"ok  {what} ({time.monotonic() - began:.1f} s)", flush=True)

    def open(self, who, left):
        arguments = [self.program, "--profile", f"{self.scratch}/{who}", "--listen", "127.0.0.1:0", "--no-discovery"]
        window = desk.Program(arguments, f"{self.results}/{who}.log", left)
        window.who = who
        self.running.append(window)
        return window

    def close(self, window):
        status = window.close()
        self.running.remove(window)
        if status != 0:
            raise desk.Missing(f"a quiet end: {window.who} ended with status {status}")

    def picture(self, window, name):
        window.picture(f"{self.results}/{name}.png")

    def autopsy(self):
        for window in self.running:
            with contextlib.suppress(Exception):
                window.picture(f"{self.results}/{window.who}-failed.png")
                with open(f"{self.results}/{window.who}-failed.txt", "w") as out:
                    out.write(window.describe())


def say(window, text):
    window.write("Message", text)
    window.press("Send")
    window.await_text(text)


def tell(story):
    invite = f"{story.scratch}/friends.throng"

    with story.step("a first start asks for a nick"):
        alice = story.open("alice", 0)
        alice.write("Nick", "Alice")
        alice.press("Start")

    with story.step("a private chat is created"):
        alice.press("Create a chat")
        alice.write("Name", "Friends")
        alice.press("Create")
        alice.await_control("Message", "entry")

    with story.step("an invite is exported through the system's file dialog"):
        alice.press("Export invite…")
        alice.press("Save as a file…")
        desk.answer_file_dialog("Export the invite", invite)
        desk.wait_for("the invite's file", lambda: os.path.exists(invite) and os.path.getsize(invite) > 0)

    with story.step("a second window imports it through the dialog"):
        bob = story.open("bob", SECOND_WINDOW_LEFT)
        bob.write("Nick", "Bob")
        bob.press("Start")
        bob.press("Import an invite")
        bob.press("Open a file…")
        desk.answer_file_dialog("Import an invite", invite)
        bob.await_control("Message", "entry")

    with story.step("they talk, both ways"):
        say(alice, "Hello Bob, can you hear me?")
        bob.await_text("Hello Bob, can you hear me?")
        say(bob, "Quite clearly: žluťoučký kůň, 你好")
        alice.await_text("Quite clearly: žluťoučký kůň, 你好")
        say(bob, "/me waves")
        alice.await_text("waves")

    with story.step("nick, topic and status reach the other"):
        say_command(bob, "/nick Robert")
        alice.await_text("Robert")
        say_command(alice, "/topic Boat trip")
        bob.await_text("Boat trip")
        say_command(bob, "/away")
        alice.await_text("Away")

    story.picture(alice, "alice")
    story.picture(bob, "bob")

    with story.step(f"at rest they use no processor time ({REST_SECS} s)"):
        time.sleep(3)  # until the last frames and pings are done
        before = [window.ticks() for window in (alice, bob)]
        time.sleep(REST_SECS)
        used = [window.ticks() - then for window, then in zip((alice, bob), before)]
        print(f"    ticks of 10 ms: {used}")
        if max(used) > MAX_TICKS_AT_REST:
            raise desk.Missing(f"rest: {used} ticks were used")

    with story.step("both close when asked to"):
        alice.write("Message", "a draft")
        time.sleep(1)
        story.close(alice)
        story.close(bob)

    with story.step("opened again, the chat, what was said and the draft are there"):
        alice = story.open("alice", 0)
        alice.await_text("Friends")
        alice.await_text("Quite clearly: žluťoučký kůň, 你好")
        desk.wait_for("the draft", lambda: alice.text_of("Message") == "a draft")

    with story.step("and they find each other again"):
        bob = story.open("bob", SECOND_WINDOW_LEFT)
        bob.await_text("Hello Bob, can you hear me?")
        say(bob, "Here again")
        alice.await_text("Here again", patience_secs=30)
        story.picture(alice, "alice-again")

    with story.step("and close again"):
        story.close(alice)
        story.close(bob)


def say_command(window, text):
    window.write("Message", text)
    window.press("Send")


def main():
    story = Story(*sys.argv[1:])
    failed = 0
    try:
        tell(story)
    except Exception as error:  # whatever it was, the windows are to be looked at and ended
        failed = 1
        print(f"FAILED: {error}")
        story.autopsy()
        if not isinstance(error, desk.Missing):
            raise
    finally:
        for window in story.running:
            window.kill()
        print(f"{story.passed} passed, {failed} failed", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
