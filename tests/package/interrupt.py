#!/usr/bin/env python3
"""Presses Ctrl-C in the demo at several moments: it must end at once and leave no process behind.

A terminal sends the signal to the whole group, and the shells in it began with SIGINT at its default; a background job of a
script would ignore it.
"""
import os
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MOMENTS = ["", "bob    <- alice", "alice  ** unread"]
if os.environ.get("TIMBRE_TEST") == "full" or os.environ.get("CI") == "true":
    MOMENTS += ["A server of their own", "bob    ** logged in", "alice  <- bob"]


def alive(group):
    """The processes of a group that are not zombies."""
    lines = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if line.split()[0] == str(group) and not line.split()[1].startswith("Z")]


def press(line):
    """Interrupts when the transcript has a line that begins so."""
    demo = subprocess.Popen(["./build.sh", "demo"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    if line and not any(text.startswith(line) for text in demo.stdout):
        sys.exit("the transcript never had %r" % line)
    try:
        os.killpg(demo.pid, signal.SIGINT)
    except ProcessLookupError:
        pass  # it was quicker
    try:
        demo.wait(60)
    except subprocess.TimeoutExpired:
        left = alive(demo.pid)
        os.killpg(demo.pid, signal.SIGKILL)
        sys.exit("Ctrl-C at %r: the demo did not end:\n%s" % (line, "\n".join(left)))
    deadline = time.monotonic() + 30
    while alive(demo.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    left = alive(demo.pid)
    if left:
        os.killpg(demo.pid, signal.SIGKILL)
        sys.exit("Ctrl-C at %r left:\n%s" % (line, "\n".join(left)))


for moment in MOMENTS:
    press(moment)
print("ok interrupt: Ctrl-C at %d moments of the demo leaves no process behind" % len(MOMENTS))
