"""What must survive: one class an operation. `wires` are the requests that it makes, as the proxy knows them.

prepare() makes what the operation needs; act() begins it on a device, the calls that returned are in `calls`; missing() says what of
its effect is not there, "" when all is.
"""
import os

import timbre
from timbre import C2C, GROUP, text_elem

REVOKED = 6
MANY = 3
MARK = 1  # the first of the marks


class Operation:
    durable = False  # the intent survives the process from its request on
    lasting = False  # even from the return of the call on
    wires = ()
    lines = 1  # requests of one act()
    calls_made = True  # by act(); else something happens to the device

    def __init__(self, rig):
        self.rig, self.calls = rig, []

    def call(self, device, function, *args, die=""):
        self.calls.append(device.call(function, *args, die=die))

    def actor(self, pushed):
        """Who acts: alice's device behind the proxy, or somebody else of whom she hears by pushes."""
        return self.rig.second if pushed else self.rig.alice

    def prepare(self, device):
        pass

    def partly(self, done):
        """What is missing when some calls were refused: of those that were done."""
        return ""


class Send(Operation):
    durable = lasting = True
    wires, lines, kind = ("msg.send",), MANY, C2C

    def actor(self, pushed):
        return self.rig.bob if pushed else self.rig.alice

    def act(self, device, die=""):
        self.texts = []
        for i in range(self.lines):
            self.rig.names += 1
            self.texts.append("t%d." % self.rig.names)
            self.call(device, "TIMMsgSendMessage", self.rig.peer(device, self.kind), self.kind,
                      {"message_elem_array": [self.element(self.texts[-1])]}, die=die if i == self.lines - 1 else "")
            if device is self.rig.bob:
                self.calls[-1].wait(code=0)  # so that each has a push of its own

    def partly(self, done):
        want = [text for text, good in zip(self.texts, done) if good]
        for d in self.rig.devices:
            got = [text for _, _, status, text in self.rig.view(d, self.kind) if status == timbre.SENT]
            if not set(want) <= set(got):
                return "%s has %s of %s" % (self.rig.labels[d], got, want)
        return ""

    def element(self, text):
        return text_elem(text)

    def missing(self):
        """In the order of the calls, with or without the one that the process died in."""
        accepted = self.texts[:len(self.calls)]
        for d in self.rig.devices:
            got = [text for _, _, status, text in reversed(self.rig.view(d, self.kind)) if status == timbre.SENT and text in self.texts]
            if got not in (accepted, self.texts):
                return "%s has %s of %s" % (self.rig.labels[d], got, self.texts)
        return ""


class SendGroup(Send):
    kind = GROUP


class Burst(Send):
    """Many at once: more than the outbox has under way at a time, and a row of answers behind the one that is struck."""
    lines = 50


class Upload(Send):
    """A file of two parts. Only what passes on the connections of files is struck."""
    wires, lines = ("file.begin", "file.part", "file.done"), 1

    def prepare(self, device):
        self.path = os.path.join(self.rig.folder.name, "prepared")
        with open(self.path, "wb") as f:
            f.write(os.urandom((4 << 20) + 1000))

    def element(self, text):
        path = os.path.join(self.rig.folder.name, text)
        os.rename(self.path, path)
        return {"elem_type": timbre.FILE, "file_elem_file_path": path, "file_elem_file_name": text}


class Read(Operation):
    """Everything is read: one call, one position in each conversation."""
    durable, wires, lines = True, ("conv.read",), 2

    def prepare(self, device):
        for kind in (C2C, GROUP):
            self.rig.fill(self.rig.bob, kind, 1)

    def act(self, device, die=""):
        self.call(device, "TIMMsgReportReaded", "", 0, None, die=die)

    def missing(self):
        left = [self.rig.unread(d, kind) for d in self.rig.devices[:2] for kind in (C2C, GROUP)]
        return "unread %s" % left if any(left) else ""


class Delete(Operation):
    wires = ("msg.delete",)

    def prepare(self, device):
        self.gone = self.rig.fill(self.rig.bob, C2C, MANY)[:2]
        self.here = [device.ok("TIMMsgFindMessages", [m["message_msg_id"]]).json[0] for m in self.gone]

    def act(self, device, die=""):
        self.call(device, "TIMMsgListDelete", self.rig.peer(device, C2C), C2C, self.here, die=die)

    def missing(self):
        ids = {m["message_msg_id"] for m in self.gone}
        left = [self.rig.labels[d] for d in self.rig.devices[:2] if ids & {m[1] for m in self.rig.view(d, C2C)}]
        return "still at %s" % left if left else ""


class Clear(Operation):
    durable, wires = True, ("conv.clear",)

    def prepare(self, device):
        self.rig.fill(self.rig.bob, C2C, 2)

    def act(self, device, die=""):
        self.call(device, "TIMConvDelete", self.rig.peer(device, C2C), C2C, die=die)

    def missing(self):
        left = [self.rig.labels[d] for d in self.rig.devices[:2] if d.conversation(self.rig.peer(d, C2C))]
        return "still listed at %s" % left if left else ""


class Revoke(Operation):
    wires, lines = ("msg.revoke",), 2

    def actor(self, pushed):
        return self.rig.bob if pushed else self.rig.alice

    def prepare(self, device):
        self.gone = self.rig.fill(device, C2C, 2)

    def act(self, device, die=""):
        for m in self.gone:
            self.call(device, "TIMMsgRevoke", self.rig.peer(device, C2C), C2C, m, die=die if m is self.gone[-1] else "")

    def missing(self):
        ids = {m["message_msg_id"] for m in self.gone}
        for d in self.rig.devices:
            statuses = [m[2] for m in self.rig.view(d, C2C) if m[1] in ids]
            if statuses != [REVOKED, REVOKED]:
                return "statuses %s at %s" % (statuses, self.rig.labels[d])
        return ""


class Pin(Operation):
    wires = ("conv.set",)
    key = "conv_is_pinned"

    def prepare(self, device):
        self.rig.fill(self.rig.bob, C2C, 1)
        self.want = not self.state(device)

    def state(self, device):
        return device.conversation(self.rig.peer(device, C2C))["conv_is_pinned"]

    def act(self, device, die=""):
        self.call(device, "TIMConvPinConversation", self.rig.peer(device, C2C), C2C, self.want, die=die)

    def missing(self):
        wrong = [self.rig.labels[d] for d in self.rig.devices[:2] if self.state(d) != self.want]
        return "not so at %s" % wrong if wrong else ""


class Mark(Pin):
    def state(self, device):
        return MARK in device.conversation(self.rig.peer(device, C2C))["conv_mark_array"]

    def act(self, device, die=""):
        self.call(device, "TIMConvMarkConversation", ["c2c_" + self.rig.peer(device, C2C)], MARK, self.want, die=die)


class CatchUp(Operation):
    """alice's device is cut off while things happen, and comes back."""
    lasting, wires, calls_made = True, ("login", "sync.diff", "sync.groups"), False

    def act(self, device, die=""):
        rig = self.rig
        rig.proxy.shut(True)
        self.texts = {kind: [rig.text(rig.bob, kind) for _ in range(MANY)] for kind in (C2C, GROUP)}
        for sent in self.texts.values():
            for _, call in sent:
                call.wait(code=0)
        rig.second.incoming(self.texts[GROUP][-1][0])
        rig.second.ok("TIMMsgReportReaded", rig.bob.name, C2C, None)
        rig.proxy.shut(False)

    def missing(self):
        for kind, sent in self.texts.items():
            texts = [text for text, _ in sent]
            for d in self.rig.devices:
                got = [text for _, _, _, text in reversed(self.rig.view(d, kind)) if text in texts]
                if got != texts:
                    return "%s has %s of %s" % (self.rig.labels[d], got, texts)
        return ""


class FirstLogin(Operation):
    """A new device of alice's takes the place of the one behind the proxy and gets everything from the server."""
    lasting, wires, calls_made = True, ("login", "sync.snapshot", "conv.attrs", "sync.groups"), False

    def prepare(self, device):
        self.rig.fill(self.rig.bob, C2C, 1)
        self.rig.fill(self.rig.bob, GROUP, 1)

    def act(self, device, die=""):
        self.calls.append(self.rig.replace())

    def missing(self):
        return ""  # everybody has to agree; nothing else is asked


OPERATIONS = {"send C2C": Send, "send group": SendGroup, "burst": Burst, "read": Read, "delete": Delete, "clear": Clear, "revoke": Revoke,
              "pin": Pin, "mark": Mark, "upload": Upload, "catch up": CatchUp, "first login": FirstLogin}
