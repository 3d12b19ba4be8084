"""Messages for those who are online: they reach every device that is there, and nothing is kept of them anywhere."""
import files
from files import element
from relays import Gate
from talks import REVOKE, shown, talks
from timbre import C2C, FAILED, SENT, check, equal, text_elem, text_of

ONLINE = {"message_is_online_msg": True}
CANCELLED = 7


@talks(restarts=True)
def test_nothing_is_kept(t, talk):
    talk.a.text("kept")
    for side in talk.all[1:]:
        side.client.incoming("kept")
    m = talk.a.text("now", **ONLINE)
    equal((m["message_status"], m["message_is_online_msg"], m["message_seq"]), (SENT, True, 0), "the result")
    check(m["message_server_time"] > 0, "no server time")
    for side in talk.all[1:]:
        got = side.client.incoming("now")
        equal((got["message_msg_id"], got["message_conv_id"], got["message_sender"], got["message_is_online_msg"]),
              (m["message_msg_id"], side.peer, talk.a.name, True), "the message elsewhere")
        equal(got["message_is_from_self"], side.name == talk.a.name, "from self")
    talk.middle()
    for side in talk.all + [talk.fresh(talk.b)]:
        for cloud in (True, False):
            equal(side.texts(cloud=cloud), ["kept"] if cloud or side in talk.all else side.texts(cloud=cloud), "the history")
        equal(side.last(), "kept", "the last message")
        equal(side.unread(), 0 if side.name == talk.a.name else 1, "unread")
        equal(side.client.ok("TIMMsgFindMessages", [m["message_msg_id"]]).json, [], "found by its id")
    equal([text_of(x) for x in talk.a.client.received()].count("now"), 0, "new-message events where it was sent")


@talks()
def test_who_is_away_never_gets_it(t, talk):
    talk.b2.client.logout()
    talk.a.text("now", **ONLINE)
    talk.b.client.incoming("now")
    talk.b2.client.login()
    talk.a.text("after")
    talk.b2.client.incoming("after")
    check("now" not in [text_of(m) for m in talk.b2.client.received()], "it came after the login")


@talks()
def test_it_cannot_be_taken_back(t, talk):
    m = talk.a.text("now", **ONLINE)
    got = talk.b.client.incoming("now")
    at = talk.marks()
    check(talk.a.ask("TIMMsgRevoke", m).code != 0, "it was revoked")
    check(talk.b.ask("TIMMsgRevoke", got).code != 0, "the peer revoked it")
    check(talk.a.client.ask("TIMMsgModifyMessage", dict(m, message_elem_array=[text_elem("x")])).code != 0, "it was edited")
    talk.a.text("after")
    talk.b.client.incoming("after")
    equal(talk.b.client.events(REVOKE, at[talk.b]), [], "revoke events")


@talks()
def test_no_conversation_comes_of_it(t, talk):
    """It makes no conversation and changes none."""
    if talk.kind == C2C:
        talk.a.text("now", **ONLINE)
        talk.b.client.incoming("now")
        equal((talk.a.info(), talk.b.info()), (None, None), "the conversations")
        return
    before = shown(talk.b.info())
    talk.a.text("now", **ONLINE)
    talk.b.client.incoming("now")
    equal(shown(talk.b.info()), before, "the last message")


@talks()
def test_with_a_file(t, talk):
    path = files.write(t.folder(), "x.bin", files.noise(50000))
    m = talk.a.send([files.file(path)], **ONLINE).wait(code=0).json
    got = element(talk.b.client.incoming(lambda x: x["message_msg_id"] == m["message_msg_id"]))
    equal((got["file_elem_file_size"], got["file_elem_file_path"], got["file_elem_file_name"]), (50000, "", "x.bin"), "the file there")
    talk.b.client.download(got["file_elem_file_id"], path + ".b")
    check(files.read(path) == files.read(path + ".b"), "the file is another")
    equal(talk.a.texts(), [], "the history")


@talks()
def test_without_a_network(t, talk):
    """It fails like any other, and is not tried again."""
    talk.server.stop()
    talk.a.client.network(1)
    talk.a.client.packet_timeout(1)
    r = talk.a.send([text_elem("now")], **ONLINE).wait()
    check(9508 <= r.code <= 9525, "without a network it ended with %r" % r)
    equal(r.json["message_status"], FAILED, "its status")
    equal([m for m in talk.a.texts(cloud=False) if m], [], "the history")


def test_to_oneself(t):
    """The user's other device gets it, the one that sends does not."""
    t.own_server(devices="all")
    one, two = t.users("alice", "alice")
    one.text(one.name, "now", **ONLINE)
    equal(two.incoming("now")["message_is_from_self"], True, "from self")
    one.text(one.name, "after")
    two.incoming("after")
    equal((one.received(), one.texts(one.name), two.texts(two.name)), ([], ["after"], ["after"]), "events and histories")


def uploading(t):
    """Alice sends bob a file that cannot be uploaded to its end before the gate is opened."""
    server = t.own_server(devices="all")
    gate = Gate(("127.0.0.1", server.port), 2 << 20)
    t.defer(gate.close)
    a, b = t.client("alice", url=gate.url).start(), t.user("bob")
    file = files.file(files.write(t.folder(), "x.bin", files.noise(9 << 20)))
    return gate, a, b, file, a.send(b.name, [file], **ONLINE)


def test_taken_back_while_it_uploads(t):
    """The send ends first, with 8021; the peer gets nothing, and a second try to take it back comes too late."""
    gate, a, b, _, call = uploading(t)
    id = call.out["message_id_buffer"]
    gate.held()
    cancel = a.begin("TIMMsgCancelSend", b.name, C2C, id).wait(code=0).json
    m = call.wait(code=8021).json
    equal([(x["message_msg_id"], x["message_status"]) for x in (cancel, m)], [(id, CANCELLED)] * 2, "the message")
    names = [e.name for e in a.events()]
    check(names.index("cb of TIMMsgSendMessage") < names.index("cb of TIMMsgCancelSend"), "the send ends after its cancellation")
    equal(a.ask("TIMMsgCancelSend", b.name, C2C, id).code, 8020, "again")
    gate.release()
    late = a.text(b.name, "now", **ONLINE)
    equal(a.ask("TIMMsgCancelSend", b.name, C2C, late["message_msg_id"]).code, 8020, "what has left")
    b.incoming("now")
    equal([text_of(x) for x in b.received()], ["now"], "what the peer got")


def test_upload_of_it(t):
    """Its file tells how far it is; a logout ends it with 114003, and nothing goes on with it afterwards."""
    gate, a, b, file, call = uploading(t)
    gate.held()
    a.logout()
    m = call.wait(code=114003).json
    equal(m["message_status"], FAILED, "its status")
    names = [e.name for e in a.events()]
    check(names.index("cb of TIMMsgSendMessage") < names.index("cb of TIMLogout"), "the send ends after the logout")
    gate.release()
    a.login()
    a.text(b.name, "after")
    b.incoming("after")
    equal([text_of(x) for x in b.received()], ["after"], "what the peer got")
    again = a.send(b.name, [file], **ONLINE).wait(code=0).json
    b.incoming(lambda x: x["message_msg_id"] == again["message_msg_id"])
    told = [e for e in a.events("TIMSetMsgElemUploadProgressCallback") if e.json()["message_msg_id"] == again["message_msg_id"]]
    equal((told[-1].args[1:4], told[-1].json()["message_conv_id"]), ([0, 9 << 20, 9 << 20], b.name), "the last progress")
    gate.release(1 << 20)
    a.packet_timeout(1)
    other = files.write(t.folder(), "y.bin", files.noise(9 << 20, 1))
    equal(a.send(b.name, [files.file(other)], **ONLINE).wait(code=114005).json["message_status"], FAILED, "when nothing moves")
