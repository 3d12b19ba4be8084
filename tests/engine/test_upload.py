"""Uploads that something comes into: the user who cancels, a logout, the death of a process, no network. A Gate stands
between the library and the server and holds the bytes of files in the middle."""
import os

import files
from files import element
from relays import Gate
from talks import shown
from timbre import C2C, CONNECTED, DEADLINE, DELETED, DISCONNECTED, FAILED, GROUP, SENDING, SENT, check, equal, poll, text_elem, text_of

CANCELLED = 7
RESUMABLE = 20 << 20, 14 << 20  # parts have 4 MiB and three travel at once: when 14 have passed, one at least is there
PROGRESS = "TIMSetMsgElemUploadProgressCallback"


class Held:
    """alice, behind a gate, sends bob a file that has stopped in its middle when this returns."""

    def __init__(self, t, size=5 << 20, limit=1 << 20, **keys):
        self.server = t.own_server(devices="all")
        self.gate = Gate(("127.0.0.1", self.server.port), limit)
        t.defer(self.gate.close)
        self.a, self.b = t.client("alice", url=self.gate.url).start(), t.user("bob")
        self.data = files.noise(size)
        self.path = files.write(t.folder(), "film.bin", self.data)
        self.call = self.a.send(self.b.name, [files.file(self.path)], **keys)
        self.id = self.call.out["message_id_buffer"]
        self.gate.held()

    def found(self):
        return self.a.ok("TIMMsgFindMessages", [self.id]).json[0]

    def arrived(self, t):
        """Waits for the message, which comes once and whole."""
        m = self.b.incoming(lambda m: m["message_msg_id"] == self.id, what="the message")
        path = os.path.join(t.folder(), "film.bin")
        self.b.download(element(m)["file_elem_file_id"], path)
        check(files.read(path) == self.data, "the file that arrived is another")
        self.a.text(self.b.name, "the end")
        self.b.incoming("the end")
        equal([x["message_msg_id"] for x in self.b.received()].count(self.id), 1, "new-message events of it")
        equal([x["message_msg_id"] for x in self.a.history(self.b.name)].count(self.id), 1, "times in the history")
        equal(self.found()["message_status"], SENT, "the status")


def cancel(h):
    return h.a.ask("TIMMsgCancelSend", h.b.name, C2C, h.id)


def test_status_while_it_uploads(t):
    h = Held(t)
    equal((h.found()["message_status"], element(h.found())["file_elem_file_path"]), (SENDING, h.path), "the message on its way")
    equal([m["message_status"] for m in h.a.history(h.b.name)], [SENDING], "the status in the history")
    check(h.a.conversation(h.b.name)["conv_last_msg"]["message_msg_id"] == h.id, "the conversation's last message is another")
    h.gate.release()
    m = h.call.wait(code=0).json
    equal((m["message_status"], element(m)["file_elem_file_size"]), (SENT, len(h.data)), "the sent message")
    h.arrived(t)


def test_cancel(t):
    """8021 ends the send; a second cancel finds nothing to take back; nobody ever gets the message."""
    h = Held(t)
    r = cancel(h)
    equal((r.code, r.json["message_msg_id"], r.json["message_status"]), (0, h.id, CANCELLED), "the cancel")
    m = h.call.wait(code=8021).json
    equal((m["message_msg_id"], m["message_status"]), (h.id, CANCELLED), "the message in the send's callback")
    equal(h.found()["message_status"], CANCELLED, "the status afterwards")
    equal(cancel(h).code, 8020, "cancelling twice")
    h.gate.release()
    h.a.text(h.b.name, "next")
    h.b.incoming("next")
    equal([text_of(x) for x in h.b.received()], ["next"], "what the peer got")
    equal([x["message_status"] for x in h.a.history(h.b.name)], [SENT, CANCELLED], "the history")
    h.a.again()
    equal(h.found()["message_status"], CANCELLED, "the status after a restart")
    equal(h.a.ask("TIMMsgCancelSend", h.b.name, C2C, "1-2-3").code, 8020, "cancelling what does not exist")
    sent = h.a.text(h.b.name, "sent")
    equal(h.a.ask("TIMMsgCancelSend", h.b.name, C2C, sent["message_msg_id"]).code, 8020, "cancelling what was sent")


def test_cancelled_is_sent_again(t):
    h = Held(t)
    cancel(h)
    h.call.wait(code=8021)
    h.gate.release()
    again = h.a.begin("TIMMsgSendMessage", h.b.name, C2C, h.found())
    equal(again.wait(code=0).json["message_msg_id"], h.id, "the id of the second try")
    h.arrived(t)


def test_texts_overtake(t):
    h = Held(t)
    for i in range(3):
        h.a.text(h.b.name, "text %d" % i)
    equal([m["message_status"] for m in h.a.history(h.b.name)].count(SENDING), 1, "messages on their way")
    h.gate.release()
    h.call.wait(code=0)
    order = [text_of(m) for m in h.b.incoming_count(4)]
    equal(order, ["text 0", "text 1", "text 2", None], "the order at the peer")
    equal([text_of(m) for m in h.a.history(h.b.name)], order[::-1], "the sender's history, newest first")
    h.arrived(t)


def test_killed_client(t):
    """SIGKILL in the middle: the next process goes on where the upload was, and the message arrives once."""
    h = Held(t, *RESUMABLE)
    h.a.kill()
    h.gate.release()
    h.a.again()
    h.arrived(t)
    check(h.gate.passed[False] < len(h.data), "everything was sent again")
    equal(shown(h.a.conversation(h.b.name)), "the end", "the last message")


def test_restarted_server(t):
    """SIGKILL of the server in the middle: the send waits, goes on and succeeds."""
    h = Held(t, *RESUMABLE)
    after = h.a.mark(), h.b.mark()
    h.server.stop(hard=True)
    h.a.network(DISCONNECTED, after[0])
    h.gate.cut()
    h.gate.release()
    h.server.start()
    for c, mark in zip((h.a, h.b), after):
        c.network(CONNECTED, mark)
    equal(h.call.wait(code=0).json["message_msg_id"], h.id, "the id")
    h.arrived(t)
    check(h.gate.passed[False] < len(h.data), "everything was sent again")


def test_cut_connections(t):
    h = Held(t, *RESUMABLE)
    for _ in range(2):
        h.gate.cut()
        h.gate.release(2 << 20)
        h.gate.held()
    h.gate.cut()
    h.gate.release()
    h.call.wait(code=0)
    h.arrived(t)
    steps = [e.args[2] for e in h.a.events(PROGRESS)]
    equal(steps[-1], len(h.data), "the last progress")


def test_logout(t):
    """A logout ends the upload with 114003; the same message may be sent again after the next login."""
    h = Held(t)
    mark = h.a.mark()
    h.a.logout()
    m = h.call.wait(code=114003).json
    equal(m["message_status"], FAILED, "its status")
    names = [e.name for e in h.a.events(after=mark)]
    check(names.index("cb of TIMMsgSendMessage") < names.index("cb of TIMLogout"), "the send ends after the logout")
    h.gate.release()
    h.a.login()
    equal(h.found()["message_status"], FAILED, "the status after the login")
    equal(h.b.received(), [], "what the peer got")
    h.a.begin("TIMMsgSendMessage", h.b.name, C2C, h.found()).wait(code=0)
    h.arrived(t)


def test_logout_of_a_patient_user(t):
    """With keep-trying the callback comes at the logout all the same, and the message goes out after the next login."""
    server = t.own_server(devices="all")
    gate = Gate(("127.0.0.1", server.port), 1 << 20)
    t.defer(gate.close)
    a, b = t.client("alice", url=gate.url).init(), t.user("bob")
    a.ok("TIMSetConfig", {"set_config_user_config": {}, "ext_set_config_keep_trying": True})
    a.login()
    call = a.send(b.name, [files.file(files.write(t.folder(), "x.bin", files.noise(5 << 20)))])
    gate.held()
    a.logout()
    call.wait(code=114003)
    gate.release()
    a.login()
    b.incoming(lambda m: m["message_msg_id"] == call.out["message_id_buffer"])
    poll(lambda: a.ok("TIMMsgFindMessages", [call.out["message_id_buffer"]]).json[0]["message_status"] == SENT, "it is not sent")


def test_no_network(t):
    """Nothing moves for as long as a request may take: 114005."""
    h = Held(t)
    h.a.packet_timeout(1)
    h.gate.close()
    h.server.stop()
    second = h.a.send(h.b.name, [files.file(files.write(t.folder(), "y.bin", files.noise(100)))])
    equal(second.wait(code=114005).json["message_status"], FAILED, "a message that begins without a network")
    h.a.kill()


def test_stalled(t):
    """A connection that takes no more bytes counts as no network."""
    server = t.own_server()
    gate = Gate(("127.0.0.1", server.port), 1 << 20)
    t.defer(gate.close)
    a, b = t.client("alice", url=gate.url).start(), t.user("bob")
    a.packet_timeout(1)
    path = files.write(t.folder(), "x.bin", files.noise(9 << 20))
    call = a.send(b.name, [files.file(path)])
    m = call.wait(code=114005).json
    equal(m["message_status"], FAILED, "its status")
    a.packet_timeout(30)
    gate.release()
    equal(a.ask("TIMMsgSendMessage", b.name, C2C, m).code, 0, "the second try")
    b.incoming(lambda x: x["message_msg_id"] == m["message_msg_id"])


def test_deleted_while_it_uploads(t):
    """A message that its sender deletes on its way is not sent."""
    h = Held(t)
    h.a.ok("TIMMsgDelete", h.b.name, C2C, {"msg_delete_param_msg": h.found(), "msg_delete_param_is_ramble": False})
    h.gate.release()
    h.call.wait(code=8021)
    equal(h.found()["message_status"], DELETED, "its status")
    equal(h.a.conversation(h.b.name)["conv_is_has_lastmsg"], False, "the conversation has a last message")
    h.a.text(h.b.name, "next")
    h.b.incoming("next")
    equal([text_of(m) for m in h.b.received()], ["next"], "what the peer got")


def test_three_at_a_time(t):
    """Ten files to one group: three upload at a time, all arrive, each once."""
    server = t.own_server(devices="all")
    a, b = t.users("alice", "bob")
    group = a.ok("TIMGroupCreate", {"create_group_param_group_name": "g", "create_group_param_group_type": 1,
                                    "create_group_param_group_member_array": [{"group_member_info_identifier": b.name}]}
                 ).json["create_group_result_groupid"]
    folder = t.folder()
    calls = [a.send(group, [files.file(files.write(folder, "%d.bin" % i, files.noise(200000, i)))], kind=GROUP) for i in range(10)]
    sent = {c.wait(code=0).json["message_msg_id"] for c in calls}
    b.until(lambda: sent <= {m["message_msg_id"] for m in b._received(0)}, DEADLINE, "all ten")
    equal(len([m for m in b.received() if m["message_msg_id"] in sent]), 10, "events")
    equal(server.process.poll(), None, "the server")


def test_killed_at_once(t):
    """SIGKILL as soon as the call has returned: the file is uploaded and the message sent after the next login, once."""
    server = t.own_server(devices="all")
    a, b = t.users("alice", "bob")
    folder = t.folder()
    ids = [a.send(b.name, [files.file(files.write(folder, "%d.bin" % i, files.noise(300000, i)))]).out["message_id_buffer"]
           for i in range(5)]
    a.kill()
    a.again()
    for i in ids:
        b.incoming(lambda m: m["message_msg_id"] == i)
    poll(lambda: all(m["message_status"] == SENT for m in a.history(b.name)), "not all are sent")
    for c in (a, b):
        equal(sorted(m["message_msg_id"] for m in c.history(b.name if c is a else a.name)), sorted(ids), "the history")
    equal(sorted(m["message_msg_id"] for m in b.received()), sorted(ids), "new-message events")
    equal(server.process.poll(), None, "the server")


def test_sent_again_while_it_uploads(t):
    """The same message once more joins the first: two callbacks, one message."""
    h = Held(t)
    second = h.a.begin("TIMMsgSendMessage", h.b.name, C2C, h.found())
    h.gate.release()
    for call in (h.call, second):
        equal(call.wait(code=0).json["message_msg_id"], h.id, "the id")
    h.arrived(t)


def test_cancel_a_text(t):
    """Ten of a conversation are on their way at once and cannot be taken back; what waits behind them can."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    server.stop()
    a.network(DISCONNECTED)
    calls = [a.send(b.name, [text_elem("%d" % i)]) for i in range(13)]
    equal(len(a.history(b.name, 20, cloud=False)), 13, "messages in the history")
    ids = [c.out["message_id_buffer"] for c in calls]
    equal(a.ask("TIMMsgCancelSend", b.name, C2C, ids[0]).code, 8020, "cancelling the first")
    r = a.ask("TIMMsgCancelSend", b.name, C2C, ids[11])
    equal((r.code, r.json["message_msg_id"], r.json["message_status"]), (0, ids[11], CANCELLED), "cancelling the twelfth")
    calls[11].wait(code=8021)
    server.start()
    for c in calls[:11] + calls[12:]:
        c.wait(code=0)
    want = [str(i) for i in range(13) if i != 11]
    equal([text_of(m) for m in b.incoming_count(12)], want, "what the peer got")
    equal([m["message_status"] for m in a.history(b.name, 20)].count(CANCELLED), 1, "cancelled messages in the history")
    again = a.ask("TIMMsgSendMessage", b.name, C2C, a.ok("TIMMsgFindMessages", ids[11:12]).json[0])
    equal((again.code, again.json["message_status"]), (0, SENT), "the second try")
    b.incoming("11")


def test_the_file_goes_away(t):
    """A file that is gone, or another, when its turn comes fails the send with a clear error."""
    h = Held(t)
    a, b = h.a, h.b
    path = files.write(t.folder(), "late.bin", files.noise(1000))
    others = [a.send(b.name, [files.file(files.write(t.folder(), "%d" % i, files.noise(5 << 20, i)))]) for i in range(2)]
    late = a.send(b.name, [files.file(path)])
    os.remove(path)
    h.gate.release()
    m = late.wait(code=7004).json
    equal((m["message_status"], element(m)["file_elem_file_path"]), (FAILED, path), "the failed message")
    for c in [h.call] + others:
        c.wait(code=0)


def test_cancel_at_any_moment(t):
    """A cancel either takes the message back, and nobody gets it, or says that it has left, and it arrives."""
    t.own_server(devices="all")
    a, b = t.users("alice", "bob")
    folder = t.folder()
    taken, left = [], []
    for i in range(30):
        mark = a.mark()
        call = a.send(b.name, [files.file(files.write(folder, "%d.bin" % i, files.noise(20000, i)))])
        if i % 3:
            a.event(PROGRESS, after=mark)
        name = call.out["message_id_buffer"]
        code = a.ask("TIMMsgCancelSend", b.name, C2C, name).code
        equal(call.wait().code, {0: 8021, 8020: 0}.get(code), "the send, when the cancel got %d" % code)
        (left if code else taken).append(name)
    a.text(b.name, "the end")
    b.incoming("the end")
    equal([m["message_msg_id"] for m in b.received()[:-1]], left, "what the peer got")
    equal([m["message_status"] for m in a.ok("TIMMsgFindMessages", taken).json] if taken else [], [CANCELLED] * len(taken), "the statuses")
