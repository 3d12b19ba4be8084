"""Conversations and read positions."""
import timbre
from convs import group_of
from timbre import ADD, C2C, DEL, UPDATE, check, equal, text_elem, text_of

RECEIPT, TOTAL = "TIMSetMsgReadedReceiptCallback", "TIMSetConvTotalUnreadMessageCountChangedCallback"


def pair_with(t, n):
    """alice has sent n messages to bob, who has them all."""
    a, b = t.users("alice", "bob")
    for c in [a.send(b.name, [text_elem("m%d" % i)]) for i in range(n)]:
        c.wait(code=0)
    b.incoming_count(n)
    return a, b


def read_at(a, b, after=0):
    """Waits for the receipt event at alice that tells what bob read."""
    e = a.event(RECEIPT, lambda e: e.json()[0]["msg_receipt_conv_id"] == b.name, after)
    return e.json()[0]


def test_list_order(t):
    a = t.user("alice")
    peers = t.users("p1", "p2", "p3")
    for p in peers:
        p.text(a.name, "from " + p.name)
        a.incoming("from " + p.name)
    equal([c["conv_id"] for c in a.conversations()], [p.name for p in reversed(peers)], "newest first")
    peers[0].text(a.name, "again")
    a.incoming("again")
    order = a.conversations()
    equal([c["conv_id"] for c in order], [peers[0].name, peers[2].name, peers[1].name], "after a new message")
    active = [c["conv_active_time"] for c in order]
    equal(active, sorted(active, reverse=True), "active times descend")
    a.text(peers[1].name, "own message")
    equal(a.conversations()[0]["conv_id"], peers[1].name, "an own message raises too")
    a.logout().login()
    equal([c["conv_id"] for c in a.conversations()], [peers[1].name, peers[0].name, peers[2].name], "after a new login")


def test_list_order_on_a_fresh_device(t):
    a = t.user("alice")
    peers = t.users("p1", "p2", "p3")
    for p in peers:
        p.text(a.name, "from " + p.name)
    a.logout()
    fresh = t.user("alice")
    equal([c["conv_id"] for c in fresh.conversations()], [p.name for p in reversed(peers)], "newest first")
    equal(fresh.total(), 3, "total")


def test_info(t):
    a, b = pair_with(t, 2)
    b.total()
    r = b.ok("TIMConvGetConvInfo", [{"get_conversation_list_param_conv_id": a.name, "get_conversation_list_param_conv_type": C2C},
                                    {"get_conversation_list_param_conv_id": "nobody", "get_conversation_list_param_conv_type": C2C}])
    equal(len(r.json), 1, "conversations found")
    info = r.json[0]
    equal((info["conv_id"], info["conv_type"], info["conv_unread_num"], info["conv_is_has_lastmsg"], info["conv_show_name"],
           info["conv_is_pinned"], info["conv_recv_opt"], text_of(info["conv_last_msg"])),
          (a.name, C2C, 2, True, a.name, False, 0, "m1"), "the conversation")
    equal(info, b.conversation(a.name), "the info and the list's entry")
    equal(a.ok("TIMConvGetConvInfo", [{"get_conversation_list_param_conv_id": "nobody",
                                       "get_conversation_list_param_conv_type": C2C}]).text, "[]", "nothing found")


def test_create(t):
    a = t.user("alice")
    peer = t.name("peer")
    info = a.ok("TIMConvCreate", peer, C2C).json
    equal((info["conv_id"], info["conv_type"], info["conv_unread_num"], info["conv_is_has_lastmsg"]), (peer, C2C, 0, False),
          "the created conversation")
    a.conv_event(ADD, peer)
    after = a.mark()
    again = a.ok("TIMConvCreate", peer, C2C).json
    equal(again["conv_id"], peer, "creating it again answers it")
    equal(a.conv_events(after), [], "events of the second creation")
    equal([c["conv_id"] for c in a.conversations()], [peer], "the list")


def test_delete(t):
    """Gone here with its history, the peer keeps his; a new message brings it back with only the new message."""
    a, b = pair_with(t, 5)
    b.total()
    after = b.mark()
    equal(b.ok("TIMConvDelete", a.name, C2C).text, "", "the result's JSON")
    e = b.conv_event(DEL, a.name, after=after)
    equal(e.json(1)[0]["conv_type"], C2C, "the type in the event")
    equal(b.conversations(), [], "the list")
    equal(b.texts(a.name), [], "the history, from the server too")
    equal(b.total(), 0, "total")
    equal(a.texts(b.name), ["m%d" % i for i in range(4, -1, -1)], "the peer's history")
    check(a.conversation(b.name), "the peer's conversation has gone")
    a.text(b.name, "new")
    b.incoming("new")
    b.conv_event(ADD, a.name, after=after)
    equal(b.texts(a.name), ["new"], "history after a new message")
    equal(b.unread(a.name), 1, "unread after a new message")
    equal(b.total(), 1, "total after a new message")
    fresh = t.user("bob")
    equal(fresh.texts(a.name), ["new"], "history on a fresh device")
    equal(fresh.unread(a.name), 1, "unread on a fresh device")


def test_delete_then_fresh_device_then_message(t):
    """The conversation is deleted, a fresh device logs in, then a message comes: only that one counts."""
    t.own_server(devices="all")
    a, b = pair_with(t, 5)
    b.ok("TIMConvDelete", a.name, C2C)
    fresh = t.user("bob")
    equal(fresh.conversations(), [], "the list on a fresh device")
    equal(fresh.texts(a.name), [], "the history on a fresh device")
    fresh.total()
    a.text(b.name, "new")
    for device in (b, fresh):
        device.incoming("new")
        equal(device.unread(a.name), 1, "unread")
        equal(device.texts(a.name), ["new"], "history")


def test_delete_leaves_the_second_device_its_copy(t):
    """As the vendor does by default: another device keeps the conversation, but it counts as read."""
    t.own_server(devices="all")
    a, b = pair_with(t, 5)
    second = t.user("bob")
    equal(second.total(), 5, "total of the second device")
    after = second.mark()
    b.ok("TIMConvDelete", a.name, C2C)
    second.conv_event(UPDATE, a.name, lambda c: c["conv_unread_num"] == 0, after=after)
    equal(second.total(), 0, "total of the second device")
    equal(second.texts(a.name, cloud=False), ["m%d" % i for i in range(4, -1, -1)], "its history")
    a.text(b.name, "new")
    second.incoming("new")
    equal(second.unread(a.name), 1, "its unread after a new message")


def test_delete_of_what_is_not_there(t):
    a = t.user("alice")
    equal(a.ask("TIMConvDelete", t.name("nobody"), C2C).code, 0, "deleting an unknown conversation")
    for peer, kind in (("", C2C), ("x", 0), ("x", 7)):
        check(a.ask("TIMConvDelete", peer, kind).code in (6004, 6017), "deleting %r of type %d" % (peer, kind))


def test_delete_with_failed_message(t):
    a = t.user("alice")
    nobody = t.name("nobody")
    equal(a.send(nobody, [text_elem("x")]).wait().code, 20003, "a message to nobody")
    a.ok("TIMConvDelete", nobody, C2C)
    equal(a.conversations(), [], "the list")
    equal(a.history(nobody), [], "the history")


def test_report_read_all(t):
    a, b = pair_with(t, 3)
    b.total()
    after, at_a = b.mark(), a.mark()
    equal(b.ok("TIMMsgReportReaded", a.name, C2C, None).text, "", "the result's JSON")
    b.conv_event(UPDATE, a.name, lambda c: c["conv_unread_num"] == 0, after=after)
    equal(b.event(TOTAL, after=after).args, [0], "the total's event")
    equal((b.unread(a.name), b.total()), (0, 0), "unread and total")
    check(all(m["message_is_read"] for m in b.history(a.name)), "messages are read")
    r = read_at(a, b, at_a)
    equal((r["msg_receipt_conv_type"], r["msg_receipt_is_peer_read"]), (C2C, True), "the receipt")
    check(abs(r["msg_receipt_time_stamp"] - a.call("TIMGetServerTime").rc) < 60, "the receipt's time %r" % r["msg_receipt_time_stamp"])
    check(all(m["message_is_peer_read"] for m in a.history(b.name)), "the sender's messages are read by the peer")
    equal(len(a.events(RECEIPT, at_a)), 1, "receipt events")


def test_report_read_up_to_a_message(t):
    a, b = pair_with(t, 5)
    m = b.history(a.name)[2]  # m2
    b.ok("TIMMsgReportReaded", a.name, C2C, m)
    equal(b.unread(a.name), 2, "unread")
    equal([x["message_is_read"] for x in b.history(a.name)], [False, False, True, True, True], "which are read")
    read_at(a, b)
    equal([x["message_is_peer_read"] for x in a.history(b.name)], [False, False, True, True, True], "what the peer has read")
    b.ok("TIMMsgReportReaded", a.name, C2C, b.history(a.name)[-1])
    equal(b.unread(a.name), 2, "an older report changes nothing")


def test_report_read_of_a_whole_type(t):
    b = t.user("bob")
    peers = t.users("p1", "p2", "p3")
    for p in peers:
        p.text(b.name, "from " + p.name)
        b.incoming("from " + p.name)
    equal(b.total(), 3, "total")
    b.ok("TIMMsgReportReaded", "", C2C, None)
    equal(b.total(), 0, "total after the report")
    for p in peers:
        read_at(p, b)


def test_clean_unread_one(t):
    a, b = pair_with(t, 3)
    c = t.user("carol")
    c.text(b.name, "from carol")
    b.incoming("from carol")
    equal(b.total(), 4, "total")
    b.ok("TIMConvCleanConversationUnreadMessageCount", "c2c_" + a.name, 0, 0)
    equal((b.unread(a.name), b.unread(c.name), b.total()), (0, 1, 1), "unread counts and total")
    read_at(a, b)
    equal(c.events(RECEIPT), [], "receipts at carol")
    b.ok("TIMConvCleanConversationUnreadMessageCount", "c2c", 0, 0)
    equal(b.total(), 0, "total after cleaning all one-to-one conversations")
    read_at(c, b)


def test_clean_unread_everything(t):
    a, b = pair_with(t, 3)
    after = b.mark()
    equal(b.total(), 3, "total")
    equal(b.ok("TIMConvCleanConversationUnreadMessageCount", "", 0, 0).text, "", "the result's JSON")
    equal(b.total(), 0, "total after \"\"")
    b.conv_event(UPDATE, a.name, lambda c: c["conv_unread_num"] == 0, after=after)
    read_at(a, b)
    b.ok("TIMConvCleanConversationUnreadMessageCount", "group", 0, 0)
    equal(b.ask("TIMConvCleanConversationUnreadMessageCount", "nonsense", 0, 0).code, 6017, "a wrong id")


def test_clean_unread_up_to_a_time(t):
    a, b = pair_with(t, 2)
    stamp = b.history(a.name)[0]["message_server_time"]
    b.ok("TIMConvCleanConversationUnreadMessageCount", "c2c_" + a.name, stamp - 100, 0)
    equal(b.unread(a.name), 2, "cleaning up to an earlier time")
    b.ok("TIMConvCleanConversationUnreadMessageCount", "c2c_" + a.name, stamp, 0)
    equal(b.unread(a.name), 0, "cleaning up to the newest's time")


def test_total_event_fires_only_when_asked_for(t):
    a, b = pair_with(t, 1)
    equal(b.events(TOTAL), [], "total events before the total was asked for")
    equal(b.total(), 1, "total")
    after = b.mark()
    a.text(b.name, "second")
    equal(b.event(TOTAL, after=after).args, [2], "the total's event")
    after = b.mark()
    b.text(a.name, "own messages do not count")
    b.ok("TIMMsgReportReaded", a.name, C2C, None)
    equal([e.args for e in b.events(TOTAL, after)], [[0]], "total events of the report")


def test_read_reaches_the_second_device(t):
    t.own_server(devices="all")
    a, b = pair_with(t, 3)
    second = t.user("bob")
    equal((second.unread(a.name), second.total()), (3, 3), "unread and total of the second device")
    after = second.mark()
    b.ok("TIMMsgReportReaded", a.name, C2C, None)
    second.conv_event(UPDATE, a.name, lambda c: c["conv_unread_num"] == 0, after=after)
    equal(second.event(TOTAL, after=after).args, [0], "total's event at the second device")
    equal(second.unread(a.name), 0, "unread of the second device")
    a.text(b.name, "new")
    for device in (b, second):
        device.incoming("new")
        equal(device.unread(a.name), 1, "unread after a new message")


def test_read_offline_is_made_up_for(t):
    """Read without a connection: here at once, at the server after the reconnect."""
    server = t.own_server()
    a, b = pair_with(t, 3)
    server.stop()
    b.network(timbre.DISCONNECTED)
    call = b.begin("TIMMsgReportReaded", a.name, C2C, None)
    b.conv_event(UPDATE, a.name, lambda c: c["conv_unread_num"] == 0)
    equal(b.unread(a.name), 0, "unread during the outage")
    server.start()
    call.wait(code=0)
    read_at(a, b)
    fresh = t.user("bob")
    equal(fresh.unread(a.name), 0, "unread on a fresh device")


def test_read_while_away_is_known_after_login(t):
    a, b = pair_with(t, 3)
    a.logout()
    b.ok("TIMMsgReportReaded", a.name, C2C, None)
    a.login()
    check(all(m["message_is_peer_read"] for m in a.history(b.name)), "messages read while the sender was away")


def test_unread_of_a_fresh_device_after_reading(t):
    a, b = pair_with(t, 4)
    b.ok("TIMMsgReportReaded", a.name, C2C, None)
    a.text(b.name, "unread one")
    b.incoming("unread one")
    b.logout()
    fresh = t.user("bob")
    equal(fresh.unread(a.name), 1, "unread")
    equal([text_of(m) for m in fresh.received()], ["unread one"], "messages of the snapshot")
    flags = {text_of(m): m["message_is_read"] for m in fresh.history(a.name)}
    equal(flags, {"m0": True, "m1": True, "m2": True, "m3": True, "unread one": False}, "which are read")


def test_excluded_from_last_message(t):
    a, b = t.users("alice", "bob")
    a.text(b.name, "shown")
    a.text(b.name, "not shown", message_excluded_from_last_message=True)
    b.incoming("not shown")
    for c, peer in ((a, b), (b, a)):
        equal(text_of(c.conversation(peer.name)["conv_last_msg"]), "shown", "last message at " + c.name)
    b.logout()
    fresh = t.user("bob")
    equal(text_of(fresh.conversation(a.name)["conv_last_msg"]), "shown", "last message on a fresh device")


def test_owner_of_a_group(t):
    """The older key conv_owner: who owns the group, on all devices, also after it was handed over."""
    t.own_server(devices="all")
    a, second, p = t.users("alice", "alice", "p")
    team = group_of(a, p)
    for device in second, p:
        device.conv_event(ADD, team, lambda c: c["conv_owner"] == a.name)
    marks = {c: c.mark() for c in (a, second, p)}
    a.ok("TIMGroupModifyGroupInfo", {"group_modify_info_param_group_id": team, "group_modify_info_param_modify_flag": 1 << 31,
                                     "group_modify_info_param_owner": p.name})
    for device, at in marks.items():
        device.conv_event(UPDATE, team, lambda c: c["conv_owner"] == p.name, at)
    fresh = t.user("alice")
    fresh.finished()
    for device in a, second, p, fresh:
        equal(device.conversation(team)["conv_owner"], p.name, "the owner")
    fresh.text(p.name, "hello")
    check("conv_owner" not in fresh.conversation(p.name), "a conversation of two has no owner")
