"""Sending: elements, limits, ids, repeats, order."""
import time

import timbre
from timbre import CUSTOM, FACE, LOCATION, SENT, TEXT, C2C, check, equal, text_elem

ELEMENTS = {
    "text": {"elem_type": TEXT, "text_elem_content": "hello, \u4e16\u754c \U0001f600 \"quoted\" \\ / \n\t end"},
    "custom": {"elem_type": CUSTOM, "custom_elem_data": "{\"a\":[1,2]}", "custom_elem_desc": "d\u00e9sc",
               "custom_elem_ext": "ext", "custom_elem_sound": "ding.wav"},
    "face": {"elem_type": FACE, "face_elem_index": 17, "face_elem_buf": "buffer\u00e4"},
    "location": {"elem_type": LOCATION, "location_elem_desc": "\u4e0a\u6d77", "location_elem_longitude": 121.473701,
                 "location_elem_latitude": -31.230416},
}


def everywhere(a, b, elements, what):
    """Sends and holds the elements in the result, in both histories, in the receiver's event and in the last message."""
    sent = a.sent(b.name, elements)
    got = b.incoming(lambda m: m["message_msg_id"] == sent["message_msg_id"], what="the " + what)
    places = {"result": sent, "receiver's event": got, "sender's history": a.history(b.name, 1)[0],
              "receiver's history": b.history(a.name, 1)[0],
              "sender's last message": a.conversation(b.name)["conv_last_msg"],
              "receiver's last message": b.conversation(a.name)["conv_last_msg"],
              "sender's find": a.ok("TIMMsgFindMessages", [sent["message_msg_id"]]).json[0]}
    for place, message in places.items():
        equal(message["message_elem_array"], elements, "%s: elements in the %s" % (what, place))
        equal(message["message_msg_id"], sent["message_msg_id"], "%s: id in the %s" % (what, place))
        equal(message["message_status"], SENT, "%s: status in the %s" % (what, place))
        for key in ("message_seq", "message_server_time", "message_client_time", "message_rand", "message_unique_id",
                    "message_sender"):
            equal(message[key], sent[key], "%s: %s in the %s" % (what, key, place))
        own = place.startswith(("result", "sender"))
        equal(message["message_is_from_self"], own, "%s: is_from_self in the %s" % (what, place))
        equal(message["message_conv_id"], b.name if own else a.name, "%s: conversation in the %s" % (what, place))
    return sent


def test_every_element(t):
    a, b = t.users("alice", "bob")
    for what, element in ELEMENTS.items():
        everywhere(a, b, [element], what)
    everywhere(a, b, list(ELEMENTS.values()), "several elements")


def test_defaults_are_added(t):
    """Keys of an element that the caller left out have their defaults."""
    a, b = t.users("alice", "bob")
    full = {FACE: {"face_elem_index": 0, "face_elem_buf": ""}, TEXT: {"text_elem_content": ""},
            CUSTOM: {"custom_elem_data": "", "custom_elem_desc": "", "custom_elem_ext": "", "custom_elem_sound": ""},
            LOCATION: {"location_elem_desc": "", "location_elem_longitude": 0.0, "location_elem_latitude": 0.0}}
    for kind, keys in full.items():
        sent = a.sent(b.name, [{"elem_type": kind}])
        equal(sent["message_elem_array"], [dict(keys, elem_type=kind)], "defaults of element %d" % kind)
        b.incoming(lambda m: m["message_msg_id"] == sent["message_msg_id"])


def test_ids_and_times(t):
    a, b = t.users("alice", "bob")
    before = int(time.time())
    m = a.text(b.name, "x")
    tiny, client_time, rand = m["message_msg_id"].split("-")
    numbers = a.experiment("userid_tinyid", request_userid_tinyid_param=[a.name]).json["response_userid_tinyid_res"]
    equal(int(tiny), numbers[0]["user_info_tinyid"], "the tiny id in the message id")
    equal((int(client_time), int(rand)), (m["message_client_time"], m["message_rand"]), "time and rand in the message id")
    check(before - 2 <= m["message_server_time"] <= time.time() + 2, "the server time %d" % m["message_server_time"])
    equal(m["message_unique_id"], (m["message_server_time"] << 32) + m["message_rand"], "unique id")


def test_buffer_has_the_id_before_return(t):
    a, b = t.users("alice", "bob")
    call = a.send(b.name, [text_elem("x")])
    buffer = call.out["message_id_buffer"]
    check(buffer.count("-") == 2, "the buffer holds %r when the call has returned" % buffer)
    equal(call.wait(code=0).json["message_msg_id"], buffer, "the id of the result")
    r = a.begin("TIMMsgSendMessage", b.name, C2C, {"message_elem_array": [text_elem("y")]}, without=["message_id_buffer"])
    r.wait(code=0)


def test_send_new_msg_ex_tells_the_id_first(t):
    a, b = t.users("alice", "bob")
    c = a.begin("TIMMsgSendNewMsgEx", b.name, C2C, {"message_elem_array": [text_elem("x")]})
    result = c.wait(purpose="res_cb", code=0)
    equal([p for p, _ in c.callbacks], ["msgid_cb", "res_cb"], "callbacks in their order")
    told = timbre.Result(c.callbacks[0][1])
    equal((told.code, told.json), (0, {"message_conv_id": b.name, "message_conv_type": C2C,
                                       "message_msg_id": result.json["message_msg_id"]}), "what msgid_cb got")
    a.begin("TIMMsgSendNewMsg", b.name, C2C, {"message_elem_array": [text_elem("y")]}).wait(code=0)
    b.incoming("x")
    b.incoming("y")


def test_too_large_8001(t):
    a, b = t.users("alice", "bob")
    r = a.send(b.name, [text_elem("x" * (12 * 1024 + 1))]).wait()
    equal(r.code, 8001, "a text of 12 KB and a byte")
    equal(r.json["message_status"], timbre.FAILED, "its status")
    r = a.send(b.name, [text_elem("x" * 7000), text_elem("y" * 7000)]).wait()
    equal(r.code, 8001, "two elements that are too large together")
    big = "x" * (12 * 1024 - 200)
    a.text(b.name, big)
    b.incoming(big)
    chinese = "\u4e16" * (12 * 1024 // 3 - 100)
    a.text(b.name, chinese)
    b.incoming(chinese)


def test_limit_counts_the_fields(t):
    """12 KB is the total of the fields, not of their JSON: exactly 12288 bytes pass."""
    a, b = t.users("alice", "bob")
    exact = "\"" * (12 * 1024)  # each is two bytes in JSON
    a.text(b.name, exact)
    b.incoming(exact)


def test_unknown_receiver_20003(t):
    a = t.user("alice")
    r = a.send(t.name("nobody"), [text_elem("x")]).wait()
    equal(r.code, 20003, "a message to somebody who does not exist")
    m = r.json
    equal((m["message_status"], m["message_elem_array"]), (timbre.FAILED, [text_elem("x")]), "the failed message")
    equal([h["message_status"] for h in a.history(t.name("nobody"))], [timbre.FAILED], "the history's status")


def test_bad_conversations(t):
    a = t.user("alice")
    body = {"message_elem_array": [text_elem("x")]}
    for peer, kind in (("", C2C), ("x", 0), ("x", 9)):
        r = a.ask("TIMMsgSendMessage", peer, kind, body)
        check(r.code in (6004, 6017), "a message to %r of type %d got %r" % (peer, kind, r))
    equal(a.call("TIMMsgSendMessage", "x", C2C, {}).rc, -3, "a message without elements")
    equal(a.call("TIMMsgSendMessage", "x", C2C, {"message_elem_array": []}).rc, -3, "an empty element array")
    equal(a.call("TIMMsgSendMessage", "x", C2C, "{").rc, -3, "broken JSON")
    equal(a.call("TIMMsgSendMessage", None, C2C, body).rc, -4, "no conversation id")
    equal(a.call("TIMMsgSendMessage", "x", C2C, None).rc, -4, "no message")


def test_to_oneself(t):
    a = t.user("alice")
    m = a.text(a.name, "note to self")
    equal((m["message_is_from_self"], m["message_is_read"]), (True, True), "from self, read")
    equal(a.texts(a.name), ["note to self"], "the history")
    equal(a.unread(a.name), 0, "unread count")
    a.text(a.name, "second")
    equal(a.texts(a.name), ["second", "note to self"], "the history")
    equal(a.received(), [], "new-message events on the sending device")
    fresh = t.user("alice")
    equal(fresh.texts(a.name), ["second", "note to self"], "the history on a fresh device")
    equal(fresh.unread(a.name), 0, "unread on a fresh device")


def test_cloud_and_local_custom_data(t):
    a, b = t.users("alice", "bob")
    m = a.text(b.name, "x", message_cloud_custom_str="cloud \u4e91", message_custom_str="local", message_custom_int=7)
    got = b.incoming("x")
    equal(m["message_cloud_custom_str"], "cloud \u4e91", "cloud data in the result")
    equal(got["message_cloud_custom_str"], "cloud \u4e91", "cloud data at the peer")
    equal((m["message_custom_str"], m["message_custom_int"]), ("local", 7), "local data in the result")
    equal((got["message_custom_str"], got["message_custom_int"]), ("", 0), "local data at the peer")
    a.ok("TIMMsgSetLocalCustomData", dict(m, message_custom_str="changed", message_custom_int=4294967295))
    h = a.history(b.name)[0]
    equal((h["message_custom_str"], h["message_custom_int"]), ("changed", 4294967295), "changed local data in history")
    equal(b.history(a.name)[0]["message_custom_str"], "", "local data at the peer afterwards")
    gone = dict(m, message_msg_id="1-2-3")
    check(a.ask("TIMMsgSetLocalCustomData", gone).code != 0, "local data of an unknown message were set")


def test_excluded_from_unread(t):
    a, b = t.users("alice", "bob")
    b.total()
    a.text(b.name, "counts")
    b.conv_event(timbre.ADD, a.name)
    a.text(b.name, "does not", message_is_excluded_from_unread_count=True)
    m = b.incoming("does not")
    equal(m["message_is_excluded_from_unread_count"], True, "the flag at the peer")
    a.text(b.name, "counts too")
    b.incoming("counts too")
    equal(b.unread(a.name), 2, "unread")
    equal(b.total(), 2, "total")


def test_offline_push_and_other_keys_travel(t):
    a, b = t.users("alice", "bob")
    push = {"offline_push_config_desc": "d", "offline_push_config_ext": "e", "offline_push_config_flag": 0}
    a.text(b.name, "x", message_offline_push_config=push, message_priority=0, message_need_read_receipt=True,
           message_support_message_extension=True)
    m = b.incoming("x")
    equal((m.get("message_offline_push_config"), m["message_need_read_receipt"], m["message_support_message_extension"]),
          (push, True, True), "keys at the peer")


def test_resend_after_failure_does_not_double(t):
    """The first try fails with its deadline, the server goes down before and comes back; the second try has one id."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    server.stop()
    a.network(timbre.DISCONNECTED)
    a.packet_timeout(1)
    failed = a.send(b.name, [text_elem("again")]).wait()
    check(9518 <= failed.code <= 9525, "a send without a server got %r" % failed)
    equal(failed.json["message_status"], timbre.FAILED, "its status")
    equal([m["message_status"] for m in a.history(b.name, cloud=False)], [timbre.FAILED], "status in the history")
    a.packet_timeout(30)
    server.start()
    second = a.ask("TIMMsgSendMessage", b.name, C2C, failed.json)
    equal(second.code, 0, "the second try (%s)" % second.desc)
    equal(second.json["message_msg_id"], failed.json["message_msg_id"], "id of the second try")
    third = a.ask("TIMMsgSendMessage", b.name, C2C, second.json)
    equal((third.code, third.json["message_msg_id"]), (0, second.json["message_msg_id"]), "a third try of a sent message")
    b.incoming("again")
    a.text(b.name, "after")
    b.incoming("after")
    for c, peer in ((a, b), (b, a)):
        equal(c.texts(peer.name), ["after", "again"], "history of " + c.name)
    equal([timbre.text_of(m) for m in b.received()], ["again", "after"], "new messages at the peer")


def test_values_of_a_wrong_type(t):
    """They become values of the right one, at the sender and at the receiver."""
    a, b = t.users("alice", "bob")
    m = a.sent(b.name, [{"elem_type": 0, "text_elem_content": 5}, {"elem_type": 6, "face_elem_index": "7", "face_elem_buf": None}],
               message_cloud_custom_str=12, message_priority="high", message_need_read_receipt=1, message_offline_push_config="x")
    for x in (m, b.incoming("5"), b.history(a.name, 1)[0]):
        equal(x["message_elem_array"], [{"elem_type": 0, "text_elem_content": "5"},
                                        {"elem_type": 6, "face_elem_index": 7, "face_elem_buf": ""}], "the elements")
        equal((x["message_cloud_custom_str"], x["message_priority"], x["message_need_read_receipt"], "message_offline_push_config" in x),
              ("12", 1, True, False), "other keys")
    equal(a.call("TIMMsgSendMessage", b.name, C2C, {"message_elem_array": [{"elem_type": 0.4}]}).rc, -3, "no kind")


def test_deleted_or_saved_is_sent(t):
    """What failed and was deleted here is sent again under its id; a saved message is sent as a new one."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    server.stop()
    a.network(timbre.DISCONNECTED)
    a.packet_timeout(1)
    failed = a.send(b.name, [text_elem("again")]).wait().json
    a.ok("TIMMsgDelete", b.name, C2C, {"msg_delete_param_msg": failed, "msg_delete_param_is_ramble": False})
    a.packet_timeout(30)
    server.start()
    again = a.ask("TIMMsgSendMessage", b.name, C2C, failed)
    equal((again.code, again.json["message_msg_id"], again.json["message_status"]), (0, failed["message_msg_id"], timbre.SENT), "the second try")
    b.incoming("again")
    saved = a.ok("TIMMsgSaveMsg", b.name, C2C, {"message_elem_array": [text_elem("saved")]}).json
    sent = a.ask("TIMMsgSendMessage", b.name, C2C, saved)
    equal((sent.code, sent.json["message_status"]), (0, timbre.SENT), "the saved one")
    check(sent.json["message_msg_id"] != saved["message_msg_id"], "it has the saved one's id")
    b.incoming("saved")
    equal((a.texts(b.name), b.texts(a.name)), (["saved", "saved", "again"], ["saved", "again"]), "the histories")


def test_200_pipelined_in_order_exactly_once(t):
    a, b = t.users("alice", "bob")
    calls = [a.send(b.name, [text_elem("m%03d" % i)]) for i in range(200)]
    sent = [c.wait(code=0).json for c in calls]
    want = ["m%03d" % i for i in range(200)]
    got = b.incoming_count(200)
    equal([timbre.text_of(m) for m in got], want, "messages at the receiver")
    seqs = [m["message_seq"] for m in sent]
    equal(seqs, sorted(seqs), "the order of the numbers")
    for c, peer in ((a, b), (b, a)):
        equal(list(reversed(c.texts(peer.name, 500))), want, "history of " + c.name)
    order = [e.json(2)["message_msg_id"] for e in a.events("cb of TIMMsgSendMessage")]
    equal(order, [m["message_msg_id"] for m in sent], "the order of the send callbacks")
    equal(b.unread(a.name), 200, "unread")


def test_many_lanes(t):
    """Sends to several people at once, both ways."""
    a = t.user("alice")
    others = t.users("p1", "p2", "p3")
    calls = []
    for i in range(40):
        for o in others:
            calls.append(a.send(o.name, [text_elem("to %d" % i)]))
            calls.append(o.send(a.name, [text_elem("from %d" % i)]))
    for c in calls:
        c.wait(code=0)
    got = a.incoming_count(120)
    for o in others:
        equal([timbre.text_of(m) for m in got if m["message_sender"] == o.name], ["from %d" % i for i in range(40)],
              "what came from " + o.name)
        equal([timbre.text_of(m) for m in o.incoming_count(40)], ["to %d" % i for i in range(40)], "what " + o.name + " got")
        equal(sorted(m["message_msg_id"] for m in a.history(o.name, 100)), sorted(m["message_msg_id"] for m in o.history(a.name, 100)),
              "both histories with " + o.name)


def test_killed_sender_sends_after_next_login(t):
    """SIGKILL right after acceptance: the messages are sent after the next login, in order, once."""
    server = t.own_server()
    folder = t.folder()
    a, b = t.user("alice", folder=folder), t.user("bob")
    server.stop()
    a.network(timbre.DISCONNECTED)
    ids = [a.send(b.name, [text_elem("survivor %d" % i)]).out["message_id_buffer"] for i in range(25)]
    # a read that follows the sends waits for them to be on disk
    equal(len(a.ok("TIMMsgFindMessages", ids).json), 25, "the accepted messages in the database")
    a.kill()
    server.start()
    again = t.client("alice", folder=folder).init()
    again.login()
    got = b.incoming_count(25)
    equal([timbre.text_of(m) for m in got], ["survivor %d" % i for i in range(25)], "messages at the peer")
    equal([m["message_msg_id"] for m in got], ids, "their ids")
    timbre.poll(lambda: all(m["message_status"] == SENT for m in again.history(b.name, 50)), "not all are sent")
    equal([m["message_msg_id"] for m in reversed(again.history(b.name, 50))], ids, "the sender's history")
