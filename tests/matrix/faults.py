"""The misfortunes. Each strikes one line at one point; some go on with the death of a process, which the cell brings about.

A fault at the answer means that the server has committed and the device does not know it yet. A fault at the request means that
the device has written its intent down and the server has heard nothing, except where the line passes first.
"""
import time

from proxy import DOWN, UP, Strike

REQUEST, ANSWER, PUSH, CALL = "request", "answer", "push", "call"
FILES = ("file.begin", "file.part", "file.done")


class Fault:
    """strike(link, way, line, share) is what happens to the line. server and client tell who dies then; die tells at which
    moment of the call the process kills itself, or that it is killed at any moment. disk names the side whose files cannot grow
    meanwhile. times is how often the cell runs."""

    def __init__(self, name, points, strike=None, server=False, client=False, die="", tls="", slow=False, times=1, disk=""):
        self.name, self.points, self.strike = name, points, strike
        self.server, self.client, self.die, self.tls = server, client, die, tls
        self.slow, self.times, self.disk = slow, times, disk

    def fits(self, operation, point, wire):
        """Does this cell exist?"""
        if wire in FILES and (self.name in ("duplicate", "reorder") or point == PUSH):
            return False  # the bytes of a file cannot be repeated, and nobody pushes them
        if point in (PUSH, CALL) and not operation.calls_made:
            return False
        if self.slow and wire in FILES:
            return wire == "file.part" and point == REQUEST  # a minute until the stall is noticed, whichever request it is
        return True

    def arm(self, proxy, operation, point, wire, random):
        """Makes the strike, None when the process kills itself."""
        if self.strike is None:
            return None
        n = 1 if point == PUSH or self.tls else random.randint(1, operation.lines)
        share = random.uniform(0.1, 0.9)
        op = self.tls or ("push" if point == PUSH else wire)
        strike = Strike(op, UP if point == REQUEST else DOWN, n, lambda link, way, line: self.strike(link, way, line, share))
        proxy.arm(strike)
        return strike


def drop(link, way, line, share):
    """TCP loses nothing on a connection that lives on; a push the server itself may leave out."""
    if line.startswith(b'{"push"'):
        return
    link.cut()


def delay(link, way, line, share):
    time.sleep(0.2 + share)  # the fault itself
    link.put(way, line)


def duplicate(link, way, line, share):
    link.put(way, line)
    link.put(way, line)


def reorder(link, way, line, share):
    link.hold(way, line, 0.25)


def truncate(link, way, line, share):
    link.half(way, line, share)
    link.cut()


def reset(link, way, line, share):
    link.cut(reset=True)


def half_open(link, way, line, share):
    link.deaf = True


def swallow(link, way, line, share):
    """Nothing passes until somebody has died."""
    link.deaf = True


def arrive(link, way, line, share):
    link.put(way, line)
    link.deaf = True


FAULTS = [
    Fault("drop", (REQUEST, ANSWER, PUSH), drop),
    Fault("delay", (REQUEST, ANSWER, PUSH), delay),
    Fault("duplicate", (REQUEST, ANSWER, PUSH), duplicate),
    Fault("reorder", (ANSWER, PUSH), reorder),
    Fault("truncate", (REQUEST, ANSWER, PUSH), truncate),
    Fault("reset", (REQUEST, ANSWER, PUSH), reset),
    Fault("half-open", (REQUEST, ANSWER), half_open, slow=True),
    Fault("TLS cut in the handshake", (REQUEST, ANSWER), truncate, tls="tls.handshake"),
    Fault("TLS cut in a record", (REQUEST, ANSWER), truncate, tls="tls.data"),
    Fault("server killed as the request arrives", (REQUEST,), arrive, server=True),
    Fault("server killed between commit and ack", (ANSWER,), swallow, server=True),
    Fault("client killed after its commit, before the server's", (REQUEST,), swallow, client=True),
    Fault("client killed after the server's commit, before its own", (ANSWER,), swallow, client=True),
    Fault("client killed as a push arrives", (PUSH,), arrive, client=True),
    Fault("client killed at any moment of the call", (CALL,), die="any", client=True, times=4),
    Fault("client killed as the call returns", (CALL,), die="return", client=True),
    Fault("client killed in the callback", (CALL,), die="callback", client=True),
    Fault("the client's files cannot grow", (CALL,), disk="client", times=3),
    Fault("the server's files cannot grow", (CALL,), disk="server", times=3),
]
