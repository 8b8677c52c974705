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
# Ticks of 10 ms. Linked members exchange keepalives, and this is a debug build on a machine that may have other work:
# tests/measure/window.sh is the strict measure.
MAX_TICKS_AT_REST = 3
PLACES = {"alice": (0, 0), "bob": (1200, 0), "carol": (0, 800)}  # side by side, on the screen that window.sh makes


# Who says what: 0 Alice, 1 Bob, 2 Carol.
TALK = [
    (0, "Hello, both of you! Shall we take the boat on Saturday?"),
    (1, "Gladly. Who brings the bread?"),
    (2, "I do. Žofie and Jürgen would like to come along, too."),
    (0, "Seven o'clock at the jetty, then: https://example.org/map"),
]


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

    def open(self, who):
        arguments = [self.program, "--profile", f"{self.scratch}/{who}", "--listen", "127.0.0.1:0", "--no-discovery"]
        window = desk.Program(arguments, f"{self.results}/{who}.log", PLACES[who])
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


def start(story, who):
    window = story.open(who)
    window.write("What should others call you?", who.capitalize())
    window.press("Start")
    return window


def say(window, text):
    window.write("Message", text)
    window.press("Send")
    window.await_text(text)


def tell(story):
    invite = f"{story.scratch}/friends.throng"

    with story.step("a first start asks for a nick"):
        alice = start(story, "alice")

    with story.step("a private chat is created"):
        alice.press("Create a chat")
        alice.write("Name", "Friends")
        alice.press("Create")
        alice.await_control("Message", "entry")

    with story.step("an invite is exported through the system's file dialog"):
        alice.press("Export invite…")
        alice.press("5 people", "radio button")
        alice.press("Save as file…")
        desk.answer_file_dialog("Export the invite", invite)
        desk.wait_for("the invite's file", lambda: os.path.exists(invite) and os.path.getsize(invite) > 0)
        alice.press("Done")

    with story.step("a second window imports it through the dialog"):
        bob = start(story, "bob")
        bob.press("Import an invite")
        bob.press("Choose file…")
        desk.answer_file_dialog("Import an invite", invite)
        bob.await_control("Message", "entry")
        bob.await_text("Alice")

    with story.step("a third one by its text"):
        carol = start(story, "carol")
        carol.press("Import an invite")
        with open(invite) as file:
            carol.write("Or paste the invite's text or link", file.read())
        carol.press("Import")
        carol.await_control("Message", "entry")
        carol.await_text("Alice")

    everybody = (alice, bob, carol)
    with story.step("they talk, and everybody sees everything"):
        for who, text in TALK:
            say(everybody[who], text)
            for window in everybody:
                window.await_text(text)
        tell_program(bob, "/me packs the oars")
        for window in everybody:
            window.await_text("packs the oars")

    with story.step("nick, topic and status reach the others"):
        tell_program(bob, "/nick Robert")
        alice.await_control("Robert, online")
        tell_program(alice, "/topic The boat on Saturday")
        bob.await_text("The boat on Saturday")
        tell_program(carol, "/busy")
        alice.await_control("Carol, busy")

    for window in everybody:
        story.picture(window, window.who)

    with story.step("one leaves by closing the window, and the others see it"):
        story.close(carol)
        alice.await_control("Members, 2")

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
        alice = story.open("alice")
        alice.await_text("Friends")
        alice.await_text(TALK[-1][1])
        desk.wait_for("the draft", lambda: alice.text_of("Message") == "a draft")

    with story.step("and they find each other again"):
        bob = story.open("bob")
        bob.await_text(TALK[0][1])
        say(bob, "Here again")
        alice.await_text("Here again", patience_secs=30)
        story.picture(alice, "alice-again")

    with story.step("and close again"):
        story.close(alice)
        story.close(bob)


def tell_program(window, text):
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
