"""Pins, marks and custom data: the same on all devices of a user, gone with the conversation."""
import timbre
from convs import FOLD, HIDE, OWN, PINNED, STAR, UNREAD, all_ok, c2c, group_of, info, listed, results, same_everywhere, updated, with_peers
from timbre import ADD, C2C, GROUP, check, equal


def pin(client, peer, on=True, kind=C2C):
    return client.ask("TIMConvPinConversation", peer.name if hasattr(peer, "name") else peer, kind, on)


def test_pin(t):
    server, (a, second), (p, q, r) = with_peers(t, "p", "q", "r")
    at = second.mark()
    got = pin(a, p)
    equal((got.code, got.text), (0, ""), "the result")
    equal(listed(a), [p.name, r.name, q.name], "the list after the call")
    order = info(a, p)["conv_active_time"]
    check(order > PINNED and info(a, r)["conv_active_time"] < PINNED, "the order of a pinned conversation is %d" % order)
    updated(second, p, lambda c: c["conv_is_pinned"] and c["conv_active_time"] > PINNED, at)
    same_everywhere((a, second))
    r.text(a.name, "newer")
    a.incoming("newer")
    equal(listed(a), [p.name, r.name, q.name], "a newer message does not rise above it")
    pin(a, q)
    equal(listed(a), [q.name, p.name, r.name], "two pinned ones stand in their own order")
    p.text(a.name, "from a pinned one")
    a.incoming("from a pinned one")
    equal(listed(a), [p.name, q.name, r.name], "a message raises among the pinned ones")
    at = second.mark()
    equal(pin(a, p, False).code, 0, "unpinning")
    updated(second, p, lambda c: not c["conv_is_pinned"] and c["conv_active_time"] < PINNED, at)
    for device in a, second:
        equal(listed(device), [q.name, p.name, r.name], "the list without it")
    at = a.mark()
    equal(pin(a, p, False).code, 0, "unpinning it again")
    equal(a.conv_events(at), [], "events of what changes nothing")


def test_pin_is_refused(t):
    server, (a,), (p,) = with_peers(t, "p", devices=1)
    equal(a.ask("TIMConvPinConversation", "", C2C, True).code, 6017, "without an id")
    equal(a.ask("TIMConvPinConversation", p.name, 7, True).code, 6017, "of no type")
    equal(pin(a, "nobody-at-all").code, 51007, "of nobody")
    equal(pin(a, "@TGS#none", kind=GROUP).code, 51007, "of no group")


def test_fifty_pins(t):
    a = t.user("alice")
    teams = [group_of(a, name="team %d" % i) for i in range(51)]
    for team in teams[:50]:
        equal(pin(a, team, kind=GROUP).code, 0, "pinning %s" % team)
    equal(pin(a, teams[50], kind=GROUP).code, 51012, "the 51st")
    equal(pin(a, teams[0], False, GROUP).code, 0, "letting one go")
    equal(pin(a, teams[50], kind=GROUP).code, 0, "another one")


def test_marks(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    for name, bits in (("star", STAR), ("unread", UNREAD), ("own", OWN)):
        at = second.mark()
        all_ok(a, "TIMConvMarkConversation", c2c(p, q), bits, True)
        updated(second, p, lambda c: bits in c["conv_mark_array"], at)
    for device in a, second:
        equal(info(device, p)["conv_mark_array"], [STAR, UNREAD, OWN], "the marks")
        equal((info(device, p)["conv_unread_num"], device.total()), (1, 2), "the mark unread counts nothing")
    at = second.mark()
    all_ok(a, "TIMConvMarkConversation", c2c(p), UNREAD, False)
    updated(second, p, lambda c: c["conv_mark_array"] == [STAR, OWN], at)
    equal(info(a, q)["conv_mark_array"], [STAR, UNREAD, OWN], "the other conversation")
    all_ok(a, "TIMConvMarkConversation", c2c(p), HIDE, True)
    check(p.name in listed(a), "a hidden conversation is still in the list")
    fresh = t.user("alice")
    same_everywhere((a, second, fresh))


def test_marks_that_are_none(t):
    server, (a,), (p,) = with_peers(t, "p", devices=1)
    for bits in (0, 16, 1 << 31, STAR | 16):
        equal(a.ask("TIMConvMarkConversation", c2c(p), bits, True).code, 6017, "mark %d" % bits)
    got = results(a.ok("TIMConvMarkConversation", c2c(p) + ["c2c_nobody-at-all", p.name, "group_none"], FOLD, True))
    equal(got, {"c2c_" + p.name: 0, "c2c_nobody-at-all": 51007, p.name: 6017, "group_none": 51007}, "codes of several")
    equal(a.ask("TIMConvMarkConversation", ["c2c_x"] * 101, FOLD, True).code, 51006, "101 conversations")
    equal(a.ask("TIMConvMarkConversation", ["x"], FOLD, True).code, 6017, "no conversation at all")
    equal(a.call("TIMConvMarkConversation", [], FOLD, True).rc, -3, "an empty array")
    equal(info(a, p)["conv_mark_array"], [FOLD], "the marks")


def test_custom_data(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    text = "\u4f60\u597d \"quoted\" \U0001f600"
    at = second.mark()
    all_ok(a, "TIMConvSetConversationCustomData", c2c(p), text)
    updated(second, p, lambda c: c["conv_custom_data"] == text, at)
    equal(info(a, p)["conv_custom_data"], text, "here")
    all_ok(a, "TIMConvSetConversationCustomData", c2c(q), "x" * 256)
    equal(a.ask("TIMConvSetConversationCustomData", c2c(p), "x" * 257).code, 6017, "257 bytes")
    equal(a.ask("TIMConvSetConversationCustomData", c2c(p), "\u4f60" * 86).code, 6017, "258 bytes of 86 characters")
    same_everywhere((a, second, t.user("alice")))
    for nothing in ("", None):
        at = second.mark()
        all_ok(a, "TIMConvSetConversationCustomData", c2c(p), "y")
        all_ok(a, "TIMConvSetConversationCustomData", c2c(p), nothing)
        updated(second, p, lambda c: c["conv_custom_data"] == "", at)


def test_of_a_group(t):
    server, (a, second), (p,) = with_peers(t, "p")
    team = group_of(a, p)
    second.conv_event(ADD, team)
    equal(pin(a, team, kind=GROUP).code, 0, "pinning a group")
    at = second.mark()
    all_ok(a, "TIMConvMarkConversation", ["group_" + team], STAR, True)
    updated(second, team, lambda c: c["conv_mark_array"] == [STAR] and c["conv_is_pinned"] and c["conv_show_name"] == "team", at)
    a.ok("TIMGroupQuit", team)
    equal(info(a, team, GROUP)["conv_mark_array"], [STAR], "the mark of a group that was left")
    equal(pin(a, team, False, GROUP).code, 0, "letting it go")


def test_restart_keeps_them(t):
    server, (a,), (p, q) = with_peers(t, "p", "q", devices=1)
    pin(a, p)
    all_ok(a, "TIMConvMarkConversation", c2c(p), OWN, True)
    all_ok(a, "TIMConvSetConversationCustomData", c2c(q), "kept")
    before = a.conversations()
    a.again()
    a.finished()
    equal(a.conversations(), before, "the list of another process")
    server.stop(hard=True)
    server.start()
    equal(t.user("alice").conversations()[0]["conv_mark_array"], [OWN], "on a fresh device after the server's death")


def test_while_a_device_is_away(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    second.logout()
    pin(a, p)
    all_ok(a, "TIMConvMarkConversation", c2c(p, q), STAR, True)
    all_ok(a, "TIMConvSetConversationCustomData", c2c(q), "set while away")
    second.login().finished()
    same_everywhere((a, second))
    equal(info(second, p)["conv_mark_array"], [STAR], "what was set while it was away")


def test_gone_with_the_conversation(t):
    """Deleted on one device, the other keeps the conversation and loses what was attached."""
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    for peer in p, q:
        pin(a, peer)
        all_ok(a, "TIMConvMarkConversation", c2c(peer), STAR, True)
        all_ok(a, "TIMConvSetConversationCustomData", c2c(peer), "data")
    updated(second, q, lambda c: c["conv_custom_data"] == "data", 0)
    at = second.mark()
    a.ok("TIMConvDelete", p.name, C2C)
    a.ok("TIMConvDeleteConversationList", c2c(q), False)
    for peer in p, q:
        updated(second, peer, lambda c: not c["conv_is_pinned"] and c["conv_mark_array"] == [] and c["conv_custom_data"] == "", at)
    p.text(a.name, "again")
    a.incoming("again")
    again = info(a, p)
    equal((again["conv_is_pinned"], again["conv_mark_array"], again["conv_custom_data"]), (False, [], ""), "when it is back")
    fresh = info(t.user("alice"), p)
    equal((fresh["conv_is_pinned"], fresh["conv_mark_array"], fresh["conv_custom_data"]), (False, [], ""), "on a fresh device")


def test_clearing_the_history_keeps_them(t):
    server, (a, second), (p,) = with_peers(t, "p")
    pin(a, p)
    a.ok("TIMMsgClearHistoryMessage", p.name, C2C)
    for device in a, t.user("alice"):
        equal((listed(device), info(device, p)["conv_is_pinned"]), ([p.name], True), "after the history was cleared")
        equal(info(device, p)["conv_is_has_lastmsg"], False, "the last message")


def test_offline(t):
    server, (a,), (p,) = with_peers(t, "p", devices=1)
    a.packet_timeout(2)
    server.stop()
    a.network(timbre.DISCONNECTED)
    check(9500 <= pin(a, p).code < 9600, "the code of a pin without a connection")
    equal(info(a, p)["conv_is_pinned"], False, "nothing is shown that the server does not know")


def test_two_devices_at_once(t):
    """Whoever comes last at the server wins, on all devices."""
    server, (a, second), (p,) = with_peers(t, "p")
    calls = [d.begin("TIMConvSetConversationCustomData", c2c(p), "%s %d" % (n, i)) for i in range(30)
             for n, d in (("one", a), ("two", second))]
    for c in calls:
        c.wait(code=0)
    all_ok(second, "TIMConvSetConversationCustomData", c2c(p), "last")
    updated(a, p, lambda c: c["conv_custom_data"] == "last", 0)
    same_everywhere((a, second, t.user("alice")))
