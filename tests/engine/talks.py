"""Two users with two devices each who talk, one-to-one or in a group: what tests of history and of changes begin with.

    @talks()                # one-to-one or in a group
    @talks(C2C)             # one-to-one alone
    @talks(types=(WORK, PUBLIC, MEETING))  # one-to-one or in a group of a type
    @talks(restarts=True)   # in a full run also with the devices, or the server, restarted where the test calls middle()
    def test_x(t, talk): ...

A Side is a device in this conversation. Its calls name the conversation by themselves, because the same conversation has
another id on each side when it is one-to-one.
"""
import functools
import zlib

import timbre
from timbre import C2C, CONNECTED, GROUP, UPDATE, equal, text_elem, text_of

PUBLIC, WORK, MEETING = 0, 1, 2
NAMES = {WORK: "group", PUBLIC: "public", MEETING: "meeting"}
TIP = 5
REVOKE, UPDATED, RECEIPT = "TIMSetMsgRevokeCallback", "TIMSetMsgUpdateCallback", "TIMSetMsgReadedReceiptCallback"


def talks(*kinds, restarts=False, types=(WORK,), **options):
    """Makes a test that gets a talk too, in a full run once a kind, in groups once a type; else once, and the test's name
    chooses which. The options are the server's."""
    def mark(fn):
        def run(kind, type, restart, t):
            fn(t, Talk(t, kind, restart, type=type, **options))

        def variants(full):
            all_ = [(k, x) for k in kinds or (C2C, GROUP) for x in (types if k == GROUP else types[:1])]
            for kind, type in all_ if full else [all_[zlib.crc32(fn.__name__.encode()) % len(all_)]]:
                name = "c2c" if kind == C2C else NAMES[type]
                yield name, functools.partial(run, kind, type, None)
                for restart in ("device", "server") if full and restarts else ():
                    yield name + "+" + restart, functools.partial(run, kind, type, restart)
        fn.variants = variants
        return fn
    return mark


class Talk:
    def __init__(self, t, kind, restart=None, options=(), members=(), type=WORK):
        self.t, self.kind, self.restart, self.type = t, kind, restart, type
        self.server = t.own_server(devices="all", options=["--group-rate", "0", *options])
        clients = t.users("alice", "alice", "bob", "bob", *members)
        alice, bob = clients[0].name, clients[2].name
        if kind == GROUP:
            self.group = clients[0].ok("TIMGroupCreate", {
                "create_group_param_group_name": "talk", "create_group_param_group_type": type,
                "create_group_param_group_member_array": [{"group_member_info_identifier": n} for n in [bob] + [
                    c.name for c in clients[4:]]]}).json["create_group_result_groupid"]
            for c in clients:
                c.conv_event(timbre.ADD, self.group)
                c.incoming_count(1 if type == MEETING else 2)  # a report to each, and the tip: they come from two logs
        self.all = [Side(c, self.group if kind == GROUP else bob if c.name == alice else alice, kind) for c in clients]
        self.a, self.a2, self.b, self.b2 = self.all[:4]
        self.tips = 1 if kind == GROUP and type != MEETING else 0  # messages that a group begins with

    def fill(self, n, first=0):
        """alice sends messages, and every device has them."""
        calls = [self.a.send([text_elem("m%d" % i)]) for i in range(first, first + n)]
        sent = [c.wait(code=0).json for c in calls]
        for side in self.all[1:]:
            side.client.incoming("m%d" % (first + n - 1))
        return sent

    def fresh(self, side):
        """Another new device of the same user."""
        client = self.t.user(side.client.name.rsplit("-", 2)[0])
        return Side(client, side.peer, self.kind)

    def marks(self):
        return {side: side.client.mark() for side in self.all}

    def middle(self):
        """Where a full test restarts: kill -9, and a new start."""
        if self.restart == "device":
            for side in self.all:
                side.client.again()
        elif self.restart == "server":
            self.restarted()

    def restarted(self, change=None):
        """Restarts the server and waits until every device that is logged in is caught up again."""
        at = {side: side.client.mark() for side in self.all if side.client.status() == timbre.LOGINED}
        self.server.stop(hard=not change)
        if change:
            change()
        self.server.start()
        for side, after in at.items():
            side.client.network(CONNECTED, after=after)
            side.client.finished(after)


class Side:
    """A device in a conversation."""

    def __init__(self, client, peer, kind):
        self.client, self.peer, self.kind, self.name = client, peer, kind, client.name

    def send(self, elements, **keys):
        return self.client.send(self.peer, elements, kind=self.kind, **keys)

    def text(self, text, **keys):
        return self.client.text(self.peer, text, kind=self.kind, **keys)

    def call(self, function, *args):
        return self.client.call(function, self.peer, self.kind, *args)

    def ask(self, function, *args):
        return self.client.ask(function, self.peer, self.kind, *args)

    def ok(self, function, *args):
        return self.client.ok(function, self.peer, self.kind, *args)

    def history(self, count=50, **keys):
        """Messages without tips."""
        return [m for m in self.client.history(self.peer, count, kind=self.kind, **keys)
                if not any(e["elem_type"] == TIP for e in m["message_elem_array"])]

    def texts(self, count=50, **keys):
        return [text_of(m) if m["message_elem_array"] else None for m in self.history(count, **keys)]

    def info(self):
        return self.client.conversation(self.peer)

    def last(self):
        """The text of the conversation's last message."""
        return shown(self.info())

    def unread(self):
        return self.info()["conv_unread_num"]

    def found(self, message):
        """The message as it is here, None when it is not."""
        found = self.client.ok("TIMMsgFindMessages", [message["message_msg_id"]]).json
        return found[0] if found else None

    def status(self, message):
        return self.found(message)["message_status"]

    # ---- events

    def updated(self, match, after):
        """Waits for an Update of the conversation and returns it so."""
        e = self.client.conv_event(UPDATE, self.peer, match, after)
        return next(c for c in e.json(1) if c["conv_id"] == self.peer)

    def told(self, setter, message, after):
        """Waits for an event about the message and returns what it says of it."""
        key = "msg_receipt_msg_id" if setter == RECEIPT else "message_msg_id"

        def about(e):
            return next((m for m in e.json() if m.get(key) == message["message_msg_id"]), None)
        return about(self.client.event(setter, lambda e: about(e) is not None, after))


def imported(client, peer, stamps, kind=C2C):
    """Imports messages of the peer, called "at" and their time."""
    client.ok("TIMMsgImportMsgList", peer, kind, [
        {"message_elem_array": [text_elem("at %d" % s)], "message_sender": peer, "message_client_time": s,
         "message_server_time": s} for s in stamps])


def shown(info):
    """The text of the last message of a conversation, None when it has none."""
    last = info.get("conv_last_msg")
    return text_of(last) if last and last["message_elem_array"] else None


def told_nothing(talk, sides, setter, at):
    """No such event since the marks: a last message goes through, and what was told before it has come before it."""
    talk.a.text("last of all")
    for side in talk.all[1:]:
        side.client.incoming("last of all")
    for side in sides:
        equal(side.client.events(setter, at[side]), [], "%s at %s" % (setter, side.name))
