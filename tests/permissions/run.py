#!/usr/bin/env python3
"""Permissions: every way of doing something in a group, in every type of groups, by everybody; the code that the library answers is the one of
the table in package model.

    tests/permissions/run.py [-l] [--full] [-v] [NAME...]

A case is SETTINGS/TYPE/ROLE/NAME; NAME picks those whose name contains it. The first server has the settings of one that nobody
configured, the second one the opposite of each. Plain runs ask the second one only for what it decides otherwise, --full (or
TIMBRE_TEST=full, or CI=true) for everything. A case that comes too soon for a limit on how often something may be done is tried again
later.
"""
import argparse
import collections
import os
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "python")]
sys.dont_write_bytecode = True
from cases import CASES  # noqa: E402
from scene import PLAYERS, STANDING, World  # noqa: E402

SETTINGS = {"default": [], "opposite": ["--group-owner-may-quit", "--live-admins", "--community-invites=false", "--group-option-tips",
                                        "--group-history", "work,public", "--group-tips", "meeting"]}
TOO_OFTEN = {8511, 8512, 8513, 8514, 8515, 8516, 10006, 10049}


class Part:
    """The cases of one server, worked off in one thread."""

    def __init__(self, name, options):
        self.name, self.world = name, World(name, options)
        self.wrong, self.count = [], 0

    def cases(self):
        for kind, rules in self.world.rules.items():
            for role in PLAYERS:
                if self.plays(rules, role):
                    yield from ((kind, role, c) for c in CASES if c.fits(rules, kind, role))

    def plays(self, rules, role):
        if role == "muted" and rules["may"]["mute a member"]["owner"]:
            return False
        return role != "admin" or rules["admins"]

    def title(self, kind, role, case):
        return "%s/%s/%s/%s" % (self.name, kind, role, case.name)

    def run(self, chosen):
        waiting, later = collections.deque(chosen), 0
        while waiting:
            kind, role, case = waiting.popleft()
            if self.one(kind, role, case):
                self.count, later = self.count + 1, 0
                continue
            waiting.append((kind, role, case))
            later += 1
            if later >= len(waiting):  # all that is left comes too soon
                time.sleep(0.2)
                later = 0

    def one(self, kind, role, case):
        """Runs a case; False if it is to be tried later."""
        scene, got, want = None, None, "none of these"
        try:
            scene = self.world.scene(kind, role, case.options)
            want = case.expected(scene, scene.code(case.action))
            got = case.run(scene)
        except Exception as e:
            got = "".join(traceback.format_exception_only(e)).strip()
        if got in TOO_OFTEN:
            return False
        if got != want:
            self.wrong.append((self.title(kind, role, case), got, want))
        if scene and (case.spoils and got == 0 or got != want):
            self.world.spoilt(scene)
        return True


def differs(plain, other, kind, role, case):
    """Does the second server decide a case otherwise? What depends on options of the type may, wherever those differ."""
    one, two = plain.world.rules[kind], other.world.rules[kind]
    if role == "admin" and one["admins"] != two["admins"]:
        return True
    standing = STANDING.get(role, role)
    return (one["may"][case.action][standing] != two["may"][case.action][standing]
            or any(one[k] != two[k] for k in ("approve", "fixed_approve", "add", "fixed_add")) and case.action in (
                "invite", "edit options, member limit, custom fields")
            or one["history"] != two["history"] and case.action == "read the history")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-l", action="store_true", help="list the cases")
    parser.add_argument("-v", action="store_true", help="show every wrong case, not the first fifty")
    parser.add_argument("--full", action="store_true", help="all cases on both servers",
                        default=os.environ.get("TIMBRE_TEST") == "full" or os.environ.get("CI") == "true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    begun = time.monotonic()
    parts = [Part(name, flags) for name, flags in SETTINGS.items()]
    try:
        return run(parts, options, begun)
    finally:
        for p in parts:
            p.world.close()


def run(parts, options, begun):
    plain, work = parts[0], []
    for p in parts:
        chosen = [c for c in p.cases() if not options.names or any(n in p.title(*c) for n in options.names)]
        if p is not plain and not options.full:
            chosen = [c for c in chosen if differs(plain, p, *c)]
        work.append((p, chosen))
    if options.l:
        print("\n".join(p.title(*c) for p, chosen in work for c in chosen))
        return 0
    threads = [threading.Thread(target=p.run, args=(chosen,)) for p, chosen in work]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    wrong = [w for p in parts for w in p.wrong]
    for title, got, want in wrong if options.v else wrong[:50]:
        print("FAIL %-70s answered %s, the table says %s" % (title, got, want))
    count = sum(p.count for p in parts)
    print("%d cases, %d wrong, %.1f s" % (count, len(wrong), time.monotonic() - begun))
    return 1 if wrong or not count else 0


if __name__ == "__main__":
    sys.exit(main())
