"""A rig: a server, alice's device behind the proxy, a second device of hers and one of bob's without it, a group of both.

A rig serves many cells one after the other; each leaves it in a state in which all devices agree. What is compared:
every device's histories (local ones) with each other and with the server's tables, unread counts, totals, and how often each
message was announced.
"""
import collections
import contextlib
import glob
import os
import re
import resource
import sqlite3
import subprocess
import tempfile
import threading
import time

from proxy import Proxy
from timbre import C2C, DEADLINE, GROUP, Client, Failure, Server, equal, sig, text_elem

TIP = 5          # kind of element
SENT, FAILED, UNDECIDED = 2, 3, (0, 1)  # statuses
HISTORY = 60  # newest messages that are compared after a cell; at the end of a rig all are
FRIEND = "bob"


class Rig:
    def __init__(self, number, tls=False):
        self.folder, self.env = tempfile.TemporaryDirectory(prefix="timbre-matrix-"), {}
        options = ["--sync-deletions", "--group-rate", "0"]
        if tls:
            cert, key = certificate(self.folder.name)
            options, self.env = options + ["--tls-cert", cert, "--tls-key", key], {"TIM_SERVER_CA": cert}
        self.server = Server(devices="all", options=options).start()
        self.proxy = Proxy(lambda: ("127.0.0.1", self.server.port), tls)
        direct = self.server.url.replace("ws:", "wss:") if tls else self.server.url
        self.alice = Client("alice%d" % number, url=self.proxy.url, env=self.env)
        self.second = Client(self.alice.name, url=direct, env=self.env)
        self.bob = Client(FRIEND + str(number), url=direct, env=self.env)
        self.devices = [self.alice, self.second, self.bob]
        for d in self.devices:
            d.start()
        self.group = self.alice.ok("TIMGroupCreate", {
            "create_group_param_group_name": "rig", "create_group_param_group_type": 1,
            "create_group_param_group_member_array": [{"group_member_info_identifier": self.bob.name}],
        }).json["create_group_result_groupid"]
        self.labels = dict(zip(self.devices, ("alice", "alice's second device", "bob")))
        self.names = 0
        self.replaced = False
        self.away = self.new = False  # in this cell alice's process was killed, or her device is another one
        self.kills = collections.Counter()
        for d in self.devices:
            d.until(lambda d=d: any(self.group in (e.args[1] or "") for e in d.log if e.name == "TIMSetConvEventCallback"), DEADLINE,
                    "the group")

    def peer(self, device, kind):
        """The id of a conversation as the device knows it."""
        return self.group if kind == GROUP else self.alice.name if device is self.bob else self.bob.name

    def text(self, device, kind):
        """A text that nothing else has, and the call that sends it."""
        self.names += 1
        text = "t%d." % self.names
        return text, device.send(self.peer(device, kind), [text_elem(text)], kind=kind)

    def fill(self, device, kind, n):
        """The device sends, and everybody has it."""
        calls = [self.text(device, kind) for _ in range(n)]
        sent = [c.wait(code=0).json for _, c in calls]
        for d in self.devices:
            if d is not device:
                d.incoming(calls[-1][0])
        return sent

    def nudge(self):
        """Something new for alice that is in none of the conversations: the push shows what was lost before it."""
        self.second.text(self.alice.name, "a note to myself")

    # ---- misfortunes

    def kill_server(self):
        self.kills["server"] += 1
        self.server.stop(hard=True)
        self.server.start()

    def replace(self):
        """Begins the login of a new device of alice's behind the proxy; the one before it is thrown away."""
        old, self.alice = self.alice, Client(self.alice.name, url=self.proxy.url, env=self.env).init()
        old.close()
        self.devices[0], self.new, self.replaced = self.alice, True, True
        self.labels[self.alice] = self.labels.pop(old)
        return self.alice.begin("TIMLogin", self.alice.name, sig(self.alice.name))

    @contextlib.contextmanager
    def limited(self, process, size, chance=None):
        """No file that the process writes may become larger than so many bytes."""
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        try:
            yield
        finally:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    @contextlib.contextmanager
    def flicker(self, process, size, chance):
        """The same by turns: some milliseconds so, some milliseconds as usual; at last for half a second so."""
        over = threading.Event()

        def turns():
            while not over.wait(chance.uniform(0.001, 0.06)):
                with self.limited(process, size):
                    over.wait(chance.uniform(0.0005, 0.02))
        thread = threading.Thread(target=turns)
        thread.start()
        try:
            yield
            over.wait(0.3)
        finally:
            over.set()
            thread.join()
        with self.limited(process, size):
            threading.Event().wait(chance.uniform(0, 0.5))

    def journal(self, folder):
        """The size of the journals of the databases there."""
        return sum(os.path.getsize(f) for f in glob.glob(os.path.join(folder, "data/**/*.db-wal"), recursive=True))

    def kill_client(self):
        """Kills alice's process, when it lives still, and starts it again."""
        self.kills["client"] += 1
        self.away = True
        self.alice.again()

    # ---- what is compared

    def view(self, device, kind, count=HISTORY):
        """What a device shows of a conversation, from the newest on, tips left out: what it has by itself. A group's messages
        that came while a device was away are a hole by design, and so is the history of a new device: asking the server fills it."""
        out, cloud = [], device is self.alice and (self.new or self.away and kind == GROUP)
        for m in device.history(self.peer(device, kind), count, cloud=cloud, kind=kind):
            if any(e["elem_type"] == TIP for e in m["message_elem_array"]):
                continue
            out.append((m["message_seq"], m["message_msg_id"], m["message_status"], content(m)))
        return out

    def unread(self, device, kind):
        return device.unread(self.peer(device, kind)) or 0

    def stored(self, kind):
        """The server's messages of a conversation: (number, sender, text) in their order."""
        where = "pair=(SELECT id FROM pair WHERE lo<>hi)" if kind == C2C else "pair=-(SELECT gid FROM grp)"
        rows = self.server.database("SELECT seq, name, content FROM msg LEFT JOIN account ON uid=sender WHERE %s ORDER BY seq" % where)
        return [(seq, name, text_within(body)) for seq, name, body in rows]

    def unread_there(self, user, kind):
        """What the server's tables say of a user's unread messages."""
        if kind == GROUP:
            (n,) = self.server.database("SELECT r.count-s.own-s.read_count FROM room r JOIN seat s ON s.gid=r.gid "
                                        "JOIN account a ON a.uid=s.uid WHERE a.name=?", user)[0]
            return n
        rows = self.server.database("SELECT a.name, count_hi-rc_lo, b.name, count_lo-rc_hi FROM pair "
                                    "JOIN account a ON a.uid=lo JOIN account b ON b.uid=hi WHERE lo<>hi")
        return next((n for lo, n_lo, hi, n_hi in rows for name, n in ((lo, n_lo), (hi, n_hi)) if name == user), 0)

    def attributes(self, device):
        return sorted((c["conv_id"], c["conv_unread_num"], c.get("conv_is_pinned", False), c.get("conv_mark_array", []))
                      for c in device.conversations())

    def disagreement(self, count=HISTORY):
        """What the devices and the server do not agree on, "" when nothing."""
        lists = [self.attributes(d) for d in self.devices[:2]]
        if lists[0] != lists[1]:
            return "alice's devices list %s" % difference(*lists)
        for kind in (C2C, GROUP):
            views = [[m for m in self.view(d, kind, count) if m[2] != FAILED] for d in self.devices]
            if views[0] != views[1]:
                return "alice's devices show %s" % difference(views[0], views[1])
            for d, v in zip(self.devices, views):
                if any(status in UNDECIDED for _, _, status, _ in v):
                    return "%s shows a message that is still on its way" % self.labels[d]
            texts = {seq: text for seq, _, text in self.stored(kind)}
            for d, v in zip(self.devices, views):
                unread, there = self.unread(d, kind), self.unread_there(d.name, kind)
                if unread != there:
                    return "unread: %d at %s, %d at the server" % (unread, self.labels[d], there)
                for seq, _, status, text in v:
                    if status == SENT and texts.get(seq) != text:
                        return "message %s is %r at %s and %r at the server" % (seq, text, self.labels[d], texts.get(seq))
        return ""

    def settled(self, probe, timeout, what):
        """Polls until probe() is "" and everybody agrees."""
        deadline = time.monotonic() + timeout
        while True:
            wrong = probe() or self.disagreement()
            if not wrong:
                return
            if time.monotonic() > deadline:
                raise Failure("%s: after %d s %s" % (what, timeout, wrong))
            time.sleep(0.02)  # between two looks

    def doubled(self):
        """Messages that are somewhere twice: stored at the server, in a history, announced."""
        found = []
        for kind in (C2C, GROUP):
            stored = self.stored(kind)
            found += twice("stored", [t for _, _, t in stored if t])
            numbers = [s for s, _, _ in stored]
            if numbers != list(range(1, len(numbers) + 1)):
                found.append("the server's numbers are %s" % numbers)
            for d in self.devices:
                found += twice("in a history of " + self.labels[d], [m[1] for m in self.view(d, kind)])
        for d in self.devices:
            found += twice("announced to " + self.labels[d], [m["message_msg_id"] for m in d.received()])
        return found

    def damaged(self):
        """Databases whose integrity_check says something; they may be in use."""
        found = []
        files = [os.path.join(self.server.folder, "data/timbred.db")]
        for d in self.devices:
            files += glob.glob(os.path.join(d.folder, "data/*/timbre.db"))
        for file in files:
            db = sqlite3.connect("file:%s?mode=ro" % file, uri=True, timeout=DEADLINE)
            try:
                verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
            finally:
                db.close()
            if verdict != "ok":
                found.append("%s: %s" % (file, verdict))
        return found

    def last_look(self):
        """Everything once more, whole: what the cells saw only the end of, and with what a new device gets."""
        self.new = self.replaced
        fresh = Client(self.alice.name, url=self.second.environ["TIM_SERVER_URL"], env=self.env)
        try:
            fresh.start()
            for kind in (C2C, GROUP):
                want = [(s, i, t) for s, i, st, t in self.view(self.second, kind, 5000)]
                got = []
                for m in history(fresh, self.peer(fresh, kind), kind):
                    if not any(e["elem_type"] == TIP for e in m["message_elem_array"]):
                        got.append((m["message_seq"], m["message_msg_id"], content(m)))
                equal(got, want, "what a new device of alice's shows")
                equal(self.unread(fresh, kind), self.unread(self.second, kind), "unread messages of a new device")
        finally:
            fresh.close()
        wrong = self.disagreement(5000)
        if wrong:
            raise Failure(wrong)
        for d in self.devices:
            for file in glob.glob(os.path.join(d.folder, "data/*/timbre.db")):
                db = sqlite3.connect("file:%s?mode=ro" % file, uri=True, timeout=DEADLINE)
                equal(db.execute("SELECT count(*) FROM outbox").fetchone()[0], 0, "intents left over at " + self.labels[d])
                db.close()

    def close(self):
        self.proxy.close()
        for d in self.devices:
            d.close()
        self.server.close()
        self.folder.cleanup()


def history(device, peer, kind):
    """All of a history, the newest first, page by page."""
    out, last = [], None
    while True:
        page = device.history(peer, 100, last=last, kind=kind)
        out += page
        if not page:
            return out
        last = page[-1]


def content(message):
    """The text of a message, or the name of its file; "" of one that was revoked or deleted."""
    elements = message["message_elem_array"] or [{}]
    return elements[0].get("text_elem_content") or elements[0].get("file_elem_file_name") or ""


def text_within(body):
    """The same of what the server has stored, wherever the elements stand in it."""
    found = re.search(rb'"(?:text_elem_content|file_elem_file_name)":"(t[0-9]+\.)"', body)
    return found[1].decode() if found else ""


def difference(a, b):
    return "%s only here, %s only there" % ([x for x in a if x not in b][:4], [x for x in b if x not in a][:4])


def twice(where, names):
    return ["%s %s, %d times" % (name, where, n) for name, n in collections.Counter(names).items() if n > 1]


def certificate(folder):
    """A self-signed certificate for 127.0.0.1."""
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=timbred test",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return cert, key
