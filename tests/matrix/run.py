#!/usr/bin/env python3
"""The fault matrix: every misfortune against every operation that must survive it, one cell after the other.

    tests/matrix/run.py [--full] [--seed N] [-j RIGS] [NAME...]

NAME picks the cells whose name ("reset at answer: send C2C") contains it. A cell makes the operation ready, arms one fault, acts,
heals, waits until everything is quiet and looks: nothing accepted is lost, nothing is doubled, the order is the sender's, unread
counts are equal on all devices and at the server, every call had exactly one callback (none or one when its process was
killed), and every database passes integrity_check. Prints the table of docs/reliability.md.

The seed decides which of several lines is struck, where it is cut, how long it is held, and the order of the cells.
"""
import argparse
import collections
import os
import queue
import random
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "python")]
sys.dont_write_bytecode = True
import disk  # noqa: E402
from faults import ANSWER, CALL, FAULTS, PUSH, REQUEST  # noqa: E402
from operations import OPERATIONS  # noqa: E402
from rig import Rig  # noqa: E402
from timbre import Failure, check, equal  # noqa: E402

PATIENCE = 120      # seconds until everything is quiet: who was cut off many times in a row pauses before the next dial
LONG_PATIENCE = 180 # when a half-open connection must be found first
MOMENTS = 0.012     # within how many seconds a process is killed "at any moment": calls have returned and been answered by then
STANDSTILL = 114005  # ERR_SVR_RES_TRANSFER_TIMEOUT
PLAIN = {("drop", REQUEST, "send C2C"), ("duplicate", REQUEST, "send C2C"), ("truncate", ANSWER, "send group"), ("drop", PUSH, "read"),
         ("reorder", PUSH, "send C2C"), ("reset", ANSWER, "read"), ("delay", PUSH, "revoke"), ("TLS cut in a record", ANSWER, "send C2C"),
         ("server killed between commit and ack", ANSWER, "send C2C"), ("server killed between commit and ack", ANSWER, "delete"),
         ("server killed between commit and ack", ANSWER, "pin"),
         ("client killed after its commit, before the server's", REQUEST, "read"), ("reset", REQUEST, "upload"),
         ("client killed after the server's commit, before its own", ANSWER, "clear"),
         ("the client's files cannot grow", CALL, "revoke"), ("the server's files cannot grow", CALL, "burst"),
         ("client killed at any moment of the call", CALL, "send group"), ("client killed as the call returns", CALL, "send C2C"), ("client killed in the callback", CALL, "send group")}


class Cell:
    def __init__(self, fault, point, operation, wire, time_=0):
        self.fault, self.point, self.operation, self.wire = fault, point, operation, wire
        self.name = "%s at %s: %s" % (fault.name, point, operation) + (" (%s)" % wire if len(OPERATIONS[operation].wires) > 1 else "")
        self.name += ", time %d" % (time_ + 1) if fault.times > 1 else ""

    def run(self, rig, seed):
        chance = random.Random("%d %s" % (seed, self.name))
        rig.away = rig.new = False
        op = OPERATIONS[self.operation](rig)
        device = op.actor(self.point == PUSH)
        killed = self.fault.client and device is rig.alice
        op.prepare(device)
        rig.settled(lambda: "", PATIENCE, "before it")
        fault = self.fault
        strike = fault.arm(rig.proxy, op, self.point, self.wire, chance)
        if fault.tls == "tls.handshake":
            rig.proxy.cut()
        if fault.disk:
            return self.full_disk(rig, op, chance)
        calls = self.act(rig, op, device, chance)
        for c in calls:
            equal(c.rc, 0, "return value of " + c.name)
        if strike:
            check(strike.come.wait(PATIENCE), "the line that was to be struck did not come")
        self.strike(rig)
        if fault.name == "drop" and self.point == PUSH:
            rig.nudge()
        if fault.slow and self.operation == "upload":
            self.again(rig, op, calls)
        elif not killed:
            for c in calls:
                c.wait(timeout=LONG_PATIENCE if fault.slow else PATIENCE, code=0)
        told = calls and all(c.callbacks and c.callbacks[0][1][0] == 0 for c in calls)
        certain = not killed or told or op.lasting or op.durable and self.point != CALL
        rig.settled(op.missing if certain else lambda: "", LONG_PATIENCE if fault.slow else PATIENCE, "after it")
        rig.proxy.heal()
        self.invariants(rig, calls, killed)

    def act(self, rig, op, device, chance):
        """Begins the operation and returns its calls: when the process is killed meanwhile, those that had returned."""
        if self.fault.die != "any":
            op.act(device, die=self.fault.die)
            return op.calls
        killer = threading.Timer(chance.uniform(0, MOMENTS), rig.alice.process.kill)
        killer.start()
        try:
            op.act(device)
        except Failure:
            check(rig.alice.process.wait(PATIENCE) != 0, "the process ended by itself")
        killer.join()
        return op.calls

    def full_disk(self, rig, op, chance):
        """The files of one side cannot grow beyond a point, then they can again, in the same process; the server's by turns. What was
        reported done is done; what was reported failed is nowhere else, or it is everywhere; an outbox goes on by itself."""
        server = self.fault.disk == "server"
        side = rig.server if server else rig.alice
        limit = chance.choice((0, chance.randint(0, rig.journal(side.folder))))
        with (rig.flicker if server else rig.limited)(side.process, limit, chance):
            op.act(rig.alice)
            calls = [c for c in op.calls if c.rc == 0]
            for c in () if server else calls:
                c.wait(timeout=PATIENCE)
        for c in calls:
            c.wait(timeout=LONG_PATIENCE, code=0 if op.durable and server else None)
        done = [c.rc == 0 and c.callbacks[0][1][0] == 0 for c in op.calls]
        rig.settled(op.missing if all(done) else lambda: op.partly(done), PATIENCE, "after it")
        self.invariants(rig, calls, False)

    def again(self, rig, op, calls):
        """An upload that stands still for half a minute fails, and says so; the user who sends it again has it once."""
        r = calls[0].wait(timeout=LONG_PATIENCE)
        equal(r.code, STANDSTILL, "the end of an upload that does not get on (%s)" % r.desc)
        rig.proxy.heal()
        calls[0] = rig.alice.begin("TIMMsgSendMessage", rig.peer(rig.alice, op.kind), op.kind, r.json)
        calls[0].wait(code=0)

    def strike(self, rig):
        """The deaths that belong to the fault."""
        if self.fault.server:
            rig.kill_server()
            rig.proxy.cut()
        if self.fault.die:
            rig.alice.process.wait(PATIENCE)
        if self.fault.client:
            rig.kill_client()

    def invariants(self, rig, calls, killed):
        for c in calls:
            n = len(c.callbacks)
            check(n == 1 or killed and n == 0, "%s had %d callbacks" % (c.name, n))
        equal(rig.doubled(), [], "what is doubled")
        equal(rig.damaged(), [], "databases that are damaged")


def cells(full):
    for fault in FAULTS:
        for point in fault.points:
            for name, operation in OPERATIONS.items():
                for wire in operation.wires:
                    if fault.tls and wire != operation.wires[0] or not fault.fits(operation, point, wire):
                        continue
                    if point in (PUSH, CALL) and wire != operation.wires[0]:
                        continue
                    if full or (fault.name, point, name) in PLAIN and wire in ("file.part", operation.wires[0]):
                        for n in range(fault.times if full else 1):
                            yield Cell(fault, point, name, wire, n)


class Matrix:
    """Runs cells on a number of rigs, and counts."""

    def __init__(self, seed):
        self.seed, self.lock, self.numbers = seed, threading.Lock(), 0
        self.injected, self.kills, self.failed = collections.Counter(), collections.Counter(), []

    def run(self, chosen, rigs):
        """Cells with TLS have a rig of their own. The slow ones begin first."""
        threads = []
        for tls, count in ((False, rigs), (True, 1)):
            mine = [c for c in chosen if bool(c.fault.tls) == tls]
            random.Random(self.seed).shuffle(mine)
            work = queue.Queue()
            for c in sorted(mine, key=lambda c: not c.fault.slow):
                work.put(c)
            threads += [threading.Thread(target=self.work, args=(work, tls)) for _ in range(min(count, len(mine)))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def work(self, cells, tls):
        rig = None
        while True:
            try:
                cell = cells.get_nowait()
            except queue.Empty:
                break
            begun = time.monotonic()
            try:
                rig = rig or self.rig(tls)
                cell.run(rig, self.seed)
                self.done(cell, begun)
            except Exception as e:
                self.done(cell, begun, e)
                rig = self.end(rig, False)  # nothing is known of its state
        self.end(rig, True)

    def rig(self, tls):
        with self.lock:
            self.numbers += 1
            number = self.numbers
        return Rig(number, tls)

    def end(self, rig, whole):
        """Ends a rig, after a last look at everything that its cells left."""
        if rig is None:
            return
        try:
            if whole:
                rig.last_look()
        except Exception as e:
            self.done("the last look at a rig", time.monotonic(), e)
        with self.lock:
            self.kills += rig.kills
        rig.close()

    def done(self, cell, begun, error=None):
        name = cell if isinstance(cell, str) else cell.name
        with self.lock:
            print("%s %-95s %5.1f s" % ("FAIL" if error else "ok  ", name, time.monotonic() - begun), flush=True)
            if error:
                self.failed.append(name)
                why = str(error) if isinstance(error, Failure) else "".join(traceback.format_exception(error))
                print("     " + why.replace("\n", "\n     "), flush=True)
            else:
                self.injected[cell.fault.name, cell.point, cell.operation] += 1

    def table(self):
        """The table as Markdown: how often each fault struck each operation."""
        names = list(OPERATIONS)
        print("\n| what, and where | " + " | ".join(names) + " |\n| --- |" + " --: |" * len(names))
        for fault in FAULTS:
            for point in fault.points:
                counts = [self.injected[fault.name, point, name] for name in names]
                if any(counts):
                    where = fault.name if len(fault.points) == 1 else "%s, at the %s" % (fault.name, point)
                    print("| %s | %s |" % (where, " | ".join(str(n) if n else "" for n in counts)))

    def disk(self):
        """The table of disks that fail."""
        counts, failed = disk.each_step()
        self.failed += failed
        print("\n| disk | what is done to it | steps at which it failed |\n| --- | --- | --: |")
        for kind, what, steps in counts:
            self.injected["disk " + kind, "", what] += steps
            print("| %s | %s | %d |" % (kind, what, steps))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="all cells",
                        default=os.environ.get("TIMBRE_TEST") == "full" or os.environ.get("CI") == "true")
    parser.add_argument("--seed", type=int, default=0, help="0: a random one")
    parser.add_argument("-j", type=int, default=0, help="rigs at a time")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    seed = options.seed or random.SystemRandom().randrange(1, 1 << 32)
    chosen = [c for c in cells(options.full or options.names) if not options.names or any(n in c.name for n in options.names)]
    print("matrix: seed %d, %d cells" % (seed, len(chosen)), flush=True)
    m, begun = Matrix(seed), time.monotonic()
    m.run(chosen, options.j or (5 if options.full else 3))
    m.table()
    if options.full and not options.names:
        m.disk()
    print("\n%s; server killed %d times, clients %d times; seed %d, %.0f s" % (
        "; ".join(m.failed) or "every call had its callback, every database is whole", m.kills["server"], m.kills["client"], seed,
        time.monotonic() - begun))
    print("%d faults injected, %d cells failed%s" % (sum(m.injected.values()), len(m.failed), "" if m.failed else ": lost 0, doubled 0"))
    return 1 if m.failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
