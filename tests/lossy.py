#!/usr/bin/env python3
"""Three programs, each in a network namespace of its own, where a fifth of all datagrams gets lost: everything that is
said reaches everyone within 5 s. Prints how long it took.

    tests/lossy.py [PROGRAM] [MESSAGES] [PERCENT LOST]

Needs root, `ip` (iproute2) and `nft` (nftables); without them it says so and ends with status 77.
"""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

NICKS = ["ann", "bob", "eve"]
WITHIN = 5.0
# Between two messages of one member: as fast as a private chat lets one speak for good.
PAUSE = 0.25


def run(*command):
    subprocess.run(command, check=True, capture_output=True)


class Network:
    """A bridge, and a namespace for each of us whose incoming UDP is lost now and then."""

    def __init__(self, lost):
        self.names = [f"throng{os.getpid()}{nick}" for nick in NICKS]
        self.middle = f"throng{os.getpid()}middle"
        self.lost = lost

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def build(self):
        run("ip", "netns", "add", self.middle)
        inside = ("ip", "-n", self.middle)
        run(*inside, "link", "add", "bridge", "type", "bridge")
        run(*inside, "link", "set", "bridge", "up")
        for number, name in enumerate(self.names, 1):
            run("ip", "netns", "add", name)
            run("ip", "link", "add", "out", "netns", name, "type", "veth", "peer", "name", f"to{number}",
                "netns", self.middle)
            run(*inside, "link", "set", f"to{number}", "master", "bridge", "up")
            run("ip", "-n", name, "address", "add", f"10.77.0.{number}/24", "dev", "out")
            run("ip", "-n", name, "link", "set", "out", "up")
            run("ip", "-n", name, "link", "set", "lo", "up")
            rules = (
                "table ip lossy {\nchain in {\ntype filter hook input priority 0\n"
                f"meta l4proto udp numgen random mod 100 < {self.lost} counter drop\n}}\n}}\n"
            )
            run("ip", "netns", "exec", name, "nft", rules)

    def dropped(self):
        total = 0
        for name in self.names:
            shown = subprocess.run(("ip", "netns", "exec", name, "nft", "-j", "list", "ruleset"),
                                   check=True, capture_output=True).stdout
            for part in json.loads(shown)["nftables"]:
                for step in part.get("rule", {}).get("expr", []):
                    total += step.get("counter", {}).get("packets", 0)
        return total

    def __exit__(self, *_):
        for name in [*self.names, self.middle]:
            subprocess.run(("ip", "netns", "delete", name), capture_output=True)


class Member:
    """A headless program in its namespace."""

    def __init__(self, program, namespace, number, folder):
        self.nick = NICKS[number]
        self.heard = {}
        self.events = queue.Queue()
        profile = os.path.join(folder, self.nick)
        listen = f"10.77.0.{number + 1}:40000"
        self.process = subprocess.Popen(
            ("ip", "netns", "exec", namespace, program, "headless", "--no-discovery", "--listen", listen,
             "--profile", profile),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] == "message":
                self.heard.setdefault(event["text"], []).append(time.monotonic())
            self.events.put(event)

    def tell(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def wait_for(self, name, seconds=60):
        until = time.monotonic() + seconds
        while True:
            event = self.events.get(timeout=max(0.1, until - time.monotonic()))
            if event["event"] == name:
                return event
            # Trying goes on when nobody has answered for a while.
            is_trying = event.get("code") == "unreachable"
            if event["event"] in ("error", "join_failed") and not is_trying:
                raise SystemExit(f"{self.nick}: {event}")


def talk(members, chat, count):
    """Everyone speaks in turns. When each message was said."""
    said = {}
    for number in range(count):
        member = members[number % len(members)]
        text = f"message {number}"
        said[text] = time.monotonic()
        member.tell(command="say", chat=chat, text=text)
        time.sleep(PAUSE / len(members))
    return said


def main():
    program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/debug/throng")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 120
    lost = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    if os.getuid() != 0 or not shutil.which("ip") or not shutil.which("nft"):
        print("The lossy network was skipped: it needs root, iproute2 and nftables.")
        return 77
    # Whoever ends this program has it clean up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    members = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            with Network(lost) as network:
                members = [Member(program, name, number, folder) for number, name in enumerate(network.names)]
                return play(network, members, count)
        except subprocess.CalledProcessError as error:
            print(f"The lossy network was skipped: {' '.join(error.cmd)}: {error.stderr.decode().strip()}")
            return 77
        finally:
            for member in members:
                member.process.kill()
                member.process.wait()


def play(network, members, count):
    ann = members[0]
    ann.tell(command="create_chat", name="Lossy", kind="private", nick="ann")
    chat = ann.wait_for("chat_opened")["chat"]
    ann.tell(command="export_invite", chat=chat, uses=2)
    invite = ann.wait_for("invite_exported")["text"]
    for member in members[1:]:
        began = time.monotonic()
        member.tell(command="import_invite", text=invite, nick=member.nick)
        member.wait_for("joined")
        print(f"{member.nick} is in after {time.monotonic() - began:.1f} s")
    time.sleep(3)
    said = talk(members, chat, count)
    until = time.monotonic() + WITHIN + 5
    while time.monotonic() < until and any(len(member.heard) < count for member in members):
        time.sleep(0.1)

    late, missing, doubled, delays = [], [], [], []
    for text, at in said.items():
        for member in members:
            times = member.heard.get(text, [])
            doubled += [f"{text} at {member.nick}"] * (len(times) > 1)
            if not times:
                missing.append(f"{text} at {member.nick}")
                continue
            delays.append(times[0] - at)
            late += [f"{text} at {member.nick}"] * (delays[-1] > WITHIN)
    delays.sort()
    print(f"{count} messages to {len(members)} members with {network.lost} % lost ({network.dropped()} datagrams dropped): "
          f"median {delays[len(delays) // 2]:.3f} s, 99 % within {delays[len(delays) * 99 // 100]:.3f} s, "
          f"the last after {delays[-1]:.3f} s")
    for member in members:
        member.tell(command="stats", chat=chat)
        stats = member.wait_for("stats")
        print(f"  {member.nick}: {stats['packets_out']} datagrams out, {stats['repaired']} says repaired")
    for name, which in (("missing", missing), ("late", late), ("doubled", doubled)):
        if which:
            print(f"{name}: {', '.join(which[:10])}{' …' if len(which) > 10 else ''}")
    return 1 if missing or late or doubled else 0


if __name__ == "__main__":
    sys.exit(main())
