"""Messages that forward others as one: small ones in the message itself, large ones in a file, nesting, and refusals."""
import time

import files
from relays import Gate
from talks import MEETING, PUBLIC, WORK, talks
from timbre import MERGER, check, equal, text_elem, text_of

KEYS = "ext_response_find_merger_messages"


def merger(messages, title="chat", **keys):
    return dict({"elem_type": MERGER, "merge_elem_title": title, "merge_elem_abstract_array": ["a: one", "b: two"],
                 "merge_elem_compatible_text": "several messages", "merge_elem_message_array": messages}, **keys)


def element(message):
    return next(e for e in message["message_elem_array"] if e["elem_type"] == MERGER)


def opened(side, message):
    return side.client.ask("TIMMsgDownloadMergerMessage", message)


def ids(messages):
    return [m["message_msg_id"] for m in messages]


def forward(talk, side, messages, **keys):
    """Sends a merger and waits until every device has it; returns it as it was sent."""
    at = talk.marks()
    m = side.send([merger(messages, **keys)]).wait(code=0).json
    for other in talk.all:
        if other is not side:
            other.client.incoming(lambda x: x["message_msg_id"] == m["message_msg_id"], at[other], what="the merger")
    return m


def refused(side, messages, **keys):
    return side.send([merger(messages, **keys)]).wait().code


def find(side, message, wanted):
    r = side.client.experiment("find_merger_messages", request_find_merger_messages_message_id_param=message["message_msg_id"],
                               request_find_merger_messages_merger_message_id_list_param=wanted)
    return r.json[KEYS] if r.code == 0 else r.code


@talks(types=(WORK, PUBLIC, MEETING))
def test_small(t, talk):
    """What is merged travels in the message; opening it, forwarding it and finding in it give the same messages."""
    sent = talk.fill(3)
    m = forward(talk, talk.a, sent, title="three")
    for side in talk.all + [talk.fresh(talk.b)]:
        got = side.history()[0]
        e = element(got)
        equal((e["merge_elem_title"], e["merge_elem_abstract_array"], e["merge_elem_compatible_text"], e["merge_elem_layer_over_limit"]),
              ("three", ["a: one", "b: two"], "several messages", False), "the element")
        r = opened(side, got)
        equal((r.code, [text_of(x) for x in r.json], ids(r.json)), (0, ["m0", "m1", "m2"], ids(sent)), "the messages in it")
        equal([text_of(x) for x in find(side, got, [sent[1]["message_msg_id"], "1-2-3"])], ["m1"], "found in it")
    equal(find(talk.a, dict(m, message_msg_id="1-2-3"), []), 6017, "in an unknown message")
    again = forward(talk, talk.b, [talk.b.found(m)], title="again")
    for side in (talk.a, talk.b2):
        inner = opened(side, side.found(again)).json
        equal((ids(inner), ids(opened(side, inner[0]).json)), ([m["message_msg_id"]], ids(sent)), "a merger in a merger")
        equal(ids(find(side, again, ids(sent))), ids(sent), "found two levels deep")


@talks()
def test_300(t, talk):
    """300 messages travel as a file; one more is refused, here and by its number alone."""
    talk.fill(5)
    real = talk.a.history()[:5]
    many = [dict(real[i % 5], message_msg_id="9-9-%d" % i, message_elem_array=[text_elem("text %d" % i)]) for i in range(301)]
    equal(refused(talk.a, many), 6017, "301 messages")
    m = forward(talk, talk.a, many[:300])
    check(element(m)["merge_elem_relay_json_key"], "the sender's message names no file")
    for side in (talk.a, talk.b, talk.fresh(talk.b)):
        got = side.history()[0]
        equal("merge_elem_message_array" in element(got), False, "the messages stand in the element")
        r = opened(side, got)
        equal((r.code, [text_of(x) for x in r.json]), (0, ["text %d" % i for i in range(300)]), "the messages")
        equal([text_of(x) for x in find(side, got, ["9-9-299", "9-9-0"])], ["text 0", "text 299"], "found in the file")
    again = forward(talk, talk.b, [talk.b.found(m), talk.b.history()[1]], title="a file in a merger")
    inner = opened(talk.a2, talk.a2.found(again)).json
    equal((len(inner), len(opened(talk.a2, inner[0]).json)), (2, 300), "a forwarded file is still a file")
    equal([text_of(x) for x in find(talk.a2, again, ["9-9-7"])], ["text 7"], "found in the file of a merger")


@talks()
def test_refused(t, talk):
    sent = talk.fill(1)[0]
    for keys in ({"merge_elem_compatible_text": ""}, {"merge_elem_message_array": []}):
        equal(refused(talk.a, [sent], **keys), 6017, "with %r" % keys)
    for status in (1, 3, 5, 6):
        equal(refused(talk.a, [dict(sent, message_status=status)]), 6017, "a message of status %d" % status)
    for kind in (5, 8):
        equal(refused(talk.a, [dict(sent, message_elem_array=[{"elem_type": kind}])]), 6017, "an element of type %d" % kind)
    for message in (sent, {"message_elem_array": []}):
        equal(opened(talk.a, message).code, 6017, "opening what is no merger")
    empty = {"message_elem_array": [merger([])]}
    equal(opened(talk.a, empty).code, 6017, "opening a merger without messages")
    lost = {"message_elem_array": [merger([], merge_elem_relay_json_key="no-such-file")]}
    check(opened(talk.a, lost).code not in (0, 6017), "opening a merger whose file is not there")
    equal(talk.b.texts(), ["m0"], "what came")


@talks()
def test_depth(t, talk):
    """100 levels can be opened; what is deeper says so and shows nothing."""
    message = talk.fill(1)[0]
    for _ in range(99):
        message = dict(plain(message), message_elem_array=[merger([message])])
    m = forward(talk, talk.a, [message], title="level 100")
    for side in (talk.a, talk.b):
        e = element(side.found(m))
        equal((e["merge_elem_layer_over_limit"], e["merge_elem_title"]), (False, "level 100"), "100 levels")
        message, depth = side.found(m), 0
        while message["message_elem_array"][0]["elem_type"] == MERGER:
            message, depth = opened(side, message).json[0], depth + 1
        equal((depth, text_of(message)), (100, "m0"), "at the bottom")
    m = forward(talk, talk.b, [talk.b.found(m)], title="level 101")
    for side in (talk.a, talk.b):
        got = side.found(m)
        e = element(got)
        equal((e["merge_elem_layer_over_limit"], e["merge_elem_title"], e["merge_elem_abstract_array"]), (True, "", []), "101 levels")
        equal(opened(side, got).code, 8005, "opening it")
    m = forward(talk, talk.a, [talk.a.found(m)], title="level 102")
    equal(element(talk.b.found(m))["merge_elem_layer_over_limit"], True, "102 levels")


@talks()
def test_what_is_this_devices_stays(t, talk):
    """Where merged files lie and the application's local data reach nobody, in the message, in a file, or in a merger in it."""
    path = files.write(t.folder(), "secret.bin", files.noise(100))
    m = talk.a.send([files.file(path)], message_custom_str="mine", message_custom_int=7).wait(code=0).json
    equal(m["message_elem_array"][0]["file_elem_file_path"], path, "the sender's own path")
    inner = dict(plain(m), message_custom_str="mine", message_elem_array=[merger([m])])
    many = [dict(m, message_msg_id="9-9-%d" % i) for i in range(100)]
    for merged in ([m, inner], many):
        got = talk.b.found(forward(talk, talk.a, merged))
        list_ = opened(talk.b, got).json
        equal(len(list_), len(merged), "the messages")
        for x in list_ + opened(talk.b, list_[1]).json if merged[1] is inner else list_:
            equal((x["message_custom_str"], x.get("message_custom_int", 0)), ("", 0), "local data")
            equal(x["message_elem_array"][0].get("file_elem_file_path", ""), "", "the path")
    equal(talk.a.found(m)["message_custom_str"], "mine", "the sender's own data")


@talks()
def test_files_stay(t, talk):
    """Who forwards merged messages uses their files, also when they travel as a file: the server keeps them as for a new message."""
    m = talk.a.send([files.file(files.write(t.folder(), "x.bin", files.noise(100)))]).wait(code=0).json
    small = forward(talk, talk.a, [m])
    large = forward(talk, talk.a, [dict(m, message_msg_id="9-9-%d" % i) for i in range(100)])
    used = "SELECT count(*), coalesce(sum(used>?),0) FROM file"
    for merged, want in ((small, (2, 1)), (large, (2, 2)), (forward(talk, talk.a, [large]), (2, 2))):
        old = int(time.time() - 6 * 86400) * 1000
        talk.restarted(lambda: talk.server.database("UPDATE file SET used=?", old))
        forward(talk, talk.b, [talk.b.found(merged)])
        equal(talk.server.database(used, old), [want], "the files, and those used now")


@talks()
def test_opened_by_its_id(t, talk):
    sent = talk.fill(2)
    m = forward(talk, talk.a, sent)
    equal(ids(opened(talk.b, {"message_msg_id": m["message_msg_id"]}).json), ids(sent), "the messages")
    equal(opened(talk.b, {"message_msg_id": "1-2-3"}).code, 6017, "an unknown message")


def test_cut_off(t):
    """A logout, and TIMUninit, end what waits for the file of a merger, once and without waiting for the file."""
    server = t.own_server(devices="all")
    gate = Gate(("127.0.0.1", server.port))
    t.defer(gate.close)
    a, b = t.user("alice"), t.client("bob", url=gate.url).start()
    many = [{"message_msg_id": "9-9-%d" % i, "message_sender": a.name, "message_status": 2,
             "message_elem_array": [text_elem("x" * 4000)]} for i in range(300)]
    a.sent(b.name, [merger(many)])
    got = b.incoming(lambda x: x["message_elem_array"][0]["elem_type"] == MERGER)
    for end, code in (("TIMLogout", 6014), ("TIMUninit", 7009)):
        gate.release(600000)
        calls = [b.begin("TIMMsgDownloadMergerMessage", got), b.begin("callExperimentalAPI", {
            "request_internal_operation": "internal_operation_find_merger_messages",
            "request_find_merger_messages_message_id_param": got["message_msg_id"],
            "request_find_merger_messages_merger_message_id_list_param": ["9-9-1"]})]
        gate.held(answers=True)
        if end == "TIMLogout":
            b.logout()
        else:
            b.call("TIMUninit")
        for c in calls:
            c.wait(code=code)
        gate.release()
        b = b.login() if end == "TIMLogout" else b.start()
        equal([len(c.callbacks) for c in calls], [1, 1], "callbacks")
    equal(len(b.ok("TIMMsgDownloadMergerMessage", got).json), 300, "the messages")


def plain(message):
    """What of a message is needed to merge it: levels of all of its keys would be long."""
    return {k: message[k] for k in ("message_msg_id", "message_sender", "message_status", "message_server_time")}
