#!/usr/bin/env python3
"""Has two users talk through examples/cpp/chat, whose lines come from here.
  tests/with_server.sh tests/package/chat.py [PROGRAM]   the program; default build/examples/chat
"""
import os
import re
import subprocess
import sys
import tempfile
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build/examples/chat"))
APP = os.environ["TIMBRE_APP"]
DEADLINE = 90


def ticket(user):
    command = [os.environ["TIMBRED"], "usersig", "--app", "%s:%s" % (APP, os.environ["TIMBRE_SECRET"]), "--user", user]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Chat:
    """One user's chat. A line that was waited for is used up; lines of two threads come in no certain order."""

    def __init__(self, user, peer, folder, sig=None):
        self.user, self.folder = user, os.path.join(folder, user)
        os.makedirs(self.folder, exist_ok=True)
        self.process = subprocess.Popen([PROGRAM, APP, user, sig or ticket(user), peer], cwd=self.folder, text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.lines, self.unused, self.change, self.over = [], [], threading.Condition(), False
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.change:
                print("%-6s %s" % (self.user, line.rstrip("\n")))
                self.lines.append(line.rstrip("\n"))
                self.unused.append(self.lines[-1])
                self.change.notify_all()
        with self.change:
            self.over = True
            self.change.notify_all()

    def type(self, line):
        self.process.stdin.write(line + "\n")

    def sees(self, pattern):
        """Waits for a line that the pattern fits as a whole."""
        with self.change:
            while True:
                for line in self.unused:
                    found = re.fullmatch(pattern, line)
                    if found:
                        self.unused.remove(line)
                        return found
                if self.over or not self.change.wait(DEADLINE):
                    sys.exit("FAILED: %s never saw %r in\n%s" % (self.user, pattern, "\n".join(self.lines)))

    def ends(self, status=0):
        got = self.process.wait(DEADLINE)
        if got != status:
            sys.exit("FAILED: the chat of %s ends with status %d" % (self.user, got))


def talk(folder):
    clock = r"\d\d:\d\d "
    bob = Chat("bob", "alice", folder)
    bob.sees(r"\* you are bob, talking to alice.*")
    alice = Chat("alice", "bob", folder)
    alice.sees(r"\* you are alice.*")

    alice.type('Hello "Bob", 你好 👋')
    alice.sees(clock + '✓ alice: Hello "Bob", 你好 👋')
    bob.sees(clock + 'alice: Hello "Bob", 你好 👋')
    alice.sees(r"\* bob has read your messages")
    bob.type("a needle \x1b[31min the hay")  # what steers a terminal is not passed on
    alice.sees(clock + r"bob: a needle  \[31min the hay")

    report = os.path.join(folder, "the report.bin")
    with open(report, "wb") as f:
        f.write(os.urandom(5_000_000))
    alice.type("/file " + report)
    alice.sees(r"up \[#{40}\] 100 %")
    alice.sees(clock + r"✓ alice: \[file 1\] the report\.bin, 5000000 bytes")
    number = bob.sees(clock + r"alice: \[file (\d)\] the report\.bin, 5000000 bytes").group(1)
    bob.type("/get " + number)
    bob.sees(r"down \[#{40}\] 100 %")
    stored = bob.sees(r"\* stored as (.*)").group(1)
    with open(report, "rb") as sent, open(os.path.join(bob.folder, stored), "rb") as got:
        if sent.read() != got.read():
            sys.exit("FAILED: the file came as something else")
    bob.type("/get " + number)
    bob.sees(r"\* .* is there already")

    alice.sees(r"\* bob has read your messages")
    alice.type("/history 2")
    alice.sees(clock + r"bob: a needle.*")
    alice.sees(clock + r"✓✓ alice: \[file 1\].*")
    alice.type("/history 2")
    alice.sees(clock + r"✓✓ alice: Hello.*")
    alice.type("/history")
    alice.sees(r"\* there is nothing before")
    alice.type("/search needle")
    alice.sees(r"\* 1 found")
    alice.sees(clock + r"bob: a needle.*")
    alice.type("/search 你好")
    alice.sees(r"\* 1 found")
    alice.sees(clock + r"✓✓ alice: Hello.*")
    alice.type("/file " + os.path.join(folder, "none"))
    alice.sees(r"\* sending: 7004 .*")
    alice.type("/what")
    alice.sees(r"/quit .*")
    alice.type("/quit")
    alice.ends()
    bob.process.stdin.close()
    bob.ends()


with tempfile.TemporaryDirectory() as tmp:
    talk(tmp)
    stranger = Chat("carol", "bob", tmp, sig=ticket("alice"))
    stranger.sees("TIMLogin: 70013.*")
    stranger.ends(1)
print("two users talked, sent a file, paged and searched; a foreign ticket is refused")
