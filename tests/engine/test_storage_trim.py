"""Retention: what goes from this device, what stays, and that the space comes back."""
import os
import sqlite3
import time

import timbre
from disks import again, database
from timbre import C2C, check, equal, text_elem

DAY = 86400


def local(client, peer, texts, at):
    client.ok("TIMMsgImportMsgList", peer, C2C, [
        {"message_elem_array": [text_elem(x)], "message_sender": peer, "message_client_time": at + i, "message_server_time": at + i}
        for i, x in enumerate(texts)])


def trim(client, **param):
    r = client.ok("TIMExtTrimStorage", {"ext_trim_" + k: v for k, v in param.items()}).json
    return r["ext_trim_deleted_messages"], r["ext_trim_bytes_before"], r["ext_trim_bytes_after"]


def found(client, keyword):
    r = client.ok("TIMMsgSearchLocalMessages", {"msg_search_param_keyword_array": [keyword]}).json
    return sum(i["msg_search_result_item_total_message_count"] for i in r.get("msg_search_result_item_array") or [])


def test_by_age(t):
    a, b = t.users("alice", "bob")
    now = int(time.time())
    local(a, "old friend", ["ancient 1", "ancient 2", "ancient 3"], now - 40 * DAY)
    local(a, b.name, ["ancient 4", "recent 5"], now - 40 * DAY)
    local(a, b.name, ["recent 6"], now - 3 * DAY)
    a.text(b.name, "today")
    equal(found(a, "ancient"), 4, "found before")
    equal(trim(a, keep_days=60)[0], 0, "messages of more than 60 days")
    equal(trim(a, keep_days=30)[0], 4, "messages of more than 30 days")
    equal(a.texts("old friend"), ["ancient 3"], "the last message of a conversation stays")
    equal(a.texts(b.name), ["today", "recent 6"], "the other history")
    equal((found(a, "ancient"), found(a, "recent")), (1, 1), "found afterwards")
    equal([c["conv_id"] for c in a.conversations()], [b.name, "old friend"], "the list")
    equal(trim(a)[0], 0, "without bounds nothing goes")
    equal(a.call("TIMExtTrimStorage", None).rc, -4, "without a parameter")
    equal(a.call("TIMExtTrimStorage", "{").rc, -3, "with broken JSON")


def test_by_size_and_back_from_the_server(t):
    """What goes comes back when history is asked for; what was deleted on this device alone does not."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    for c in [a.send(b.name, [text_elem("m%03d %s" % (i, "z" * 3000))]) for i in range(200)]:
        c.wait(code=0)
    b.text(a.name, "an answer")
    a.incoming("an answer")
    said = ["an answer"] + ["m%03d %s" % (i, "z" * 3000) for i in range(199, -1, -1)]
    gone = a.history(b.name, 200)[150]
    a.ok("TIMMsgDelete", b.name, C2C, {"msg_delete_param_msg": gone, "msg_delete_param_is_ramble": False})
    del said[150]
    before = a.conversation(b.name)
    deleted, was, now = trim(a, max_bytes=500000)
    check(deleted > 100 and was > 700000 and now <= 500000, "trimming says %r" % ((deleted, was, now),))
    equal(os.path.getsize(database(a)), now, "the size of the file")
    equal(a.conversation(b.name), before, "the conversation")
    kept = a.texts(b.name, 300, cloud=False)
    equal(kept, said[:len(kept)], "what is left is the newest")
    check(0 < len(kept) < 100, "%d messages are left" % len(kept))
    got, last = [], None
    while True:
        page = a.history(b.name, 50, last=last)
        if not page:
            break
        got, last = got + [timbre.text_of(m) for m in page], page[-1]
    equal(got, said, "the history with the server's help")
    server.stop()
    equal(trim(a, keep_days=1)[0], 0, "nothing is older than a day")
    check(trim(a, max_bytes=1)[0] > 150, "nearly everything goes")
    equal(a.texts(b.name, 20), said[:1], "the last one stays")
    equal(a.unread(b.name), 1, "unread")
    a.kill()
    db = sqlite3.connect(database(a))
    equal(db.execute("PRAGMA integrity_check").fetchone()[0], "ok", "integrity_check")
    db.close()


def test_messages_on_their_way_stay(t):
    server = t.own_server()
    a, b = t.users("alice", "bob")
    a.packet_timeout(60)
    local(a, b.name, ["old %d" % i for i in range(10)], 1000)
    server.stop()
    a.network(timbre.DISCONNECTED)
    waiting = [a.send(b.name, [text_elem("on its way %d" % i)]) for i in range(5)]
    equal(trim(a, max_bytes=1, keep_days=1)[0], 10, "the local ones")
    server.start()
    for c in waiting:
        c.wait(code=0)
    for i in range(5):
        b.incoming("on its way %d" % i)
    equal(a.texts(b.name), ["on its way %d" % i for i in range(4, -1, -1)], "the history")


def test_bounds_of_init(t):
    """They are kept by themselves a moment after the login."""
    a = t.client("alice").init(ext_sdk_config_keep_days=30, ext_sdk_config_max_bytes=0).login()
    local(a, "friend", ["old %d" % i for i in range(500)], 1000)
    equal(len(a.texts("friend", 1000)), 500, "messages before the next login")
    again(a).login()
    deadline = time.monotonic() + timbre.DEADLINE
    while len(a.texts("friend", 1000)) > 1:
        check(time.monotonic() < deadline, "old messages stay")
        a.ok("TIMConvGetConvList")
    equal(a.texts("friend"), ["old 499"], "the last one stays")


def test_without_bounds_nothing_goes(t):
    a = t.user("alice")
    local(a, "friend", ["old %d" % i for i in range(50)], 1000)
    equal(len(again(a).login().texts("friend", 100)), 50, "messages")
    equal(t.client("bob").init().ask("TIMExtTrimStorage", {}).code, 6014, "without a user")
    equal(t.client("bob").ask("TIMExtTrimStorage", {}).code, 6013, "before TIMInit")
