"""The list: drafts, filters, pages, unread counts by filter, order of events."""
import json

from convs import COUNT, FOLD, STAR, TOTAL, all_ok, c2c, filtered, fitting, group_of, info, listed, page, unread, updated, with_peers
from timbre import ADD, C2C, DEL, FINISH, GROUP, START, UPDATE, check, equal, text_elem, text_of
import timbre

DRAFT = {"draft_msg": {"message_elem_array": [text_elem("unsent \u4f60\u597d")]}, "draft_user_define": "mine",
         "draft_edit_time": 1700000000}


def test_draft(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    at, there = a.mark(), second.mark()
    equal(a.call("TIMConvSetDraft", p.name, C2C, DRAFT).rc, 0, "the return value")
    updated(a, p, lambda c: c["conv_is_has_draft"] and c["conv_draft"] == DRAFT, at)
    equal((info(a, p)["conv_draft"], listed(a)), (DRAFT, [p.name, q.name]), "the draft and the list")
    check("conv_draft" not in info(a, q), "another conversation has no draft")
    later = dict(DRAFT, draft_user_define="other")
    a.call("TIMConvSetDraft", p.name, C2C, later)
    equal(info(a, p)["conv_draft"], later, "another draft")
    q.text(a.name, "newer")
    a.incoming("newer")
    at = a.mark()
    equal(a.call("TIMConvCancelDraft", p.name, C2C).rc, 0, "the return value")
    updated(a, p, lambda c: not c["conv_is_has_draft"] and "conv_draft" not in c, at)
    equal(listed(a), [q.name, p.name], "cancelling leaves the order")
    at = a.mark()
    a.call("TIMConvCancelDraft", p.name, C2C)
    equal((listed(a), a.conv_events(at)), ([q.name, p.name], []), "cancelling nothing")
    second.incoming("newer")
    check(all(not c["conv_is_has_draft"] for _, list in second.conv_events(there) for c in list), "drafts are local")


def test_draft_of_a_new_conversation(t):
    a = t.user("alice")
    a.call("TIMConvSetDraft", t.name("p"), C2C, DRAFT)
    a.conv_event(ADD, t.name("p"))
    equal(info(a, t.name("p"))["conv_draft"], DRAFT, "the draft")
    a.again()
    equal(info(a, t.name("p"))["conv_draft"], DRAFT, "after a crash")
    equal(a.ok("TIMConvDelete", t.name("p"), C2C).text, "", "deleting it")
    equal(listed(a), [], "the list")
    a.ok("TIMConvCreate", t.name("p"), C2C)
    equal(info(a, t.name("p"))["conv_is_has_draft"], False, "the draft went with the conversation")


def test_draft_that_is_none(t):
    a = t.user("alice")
    p = t.name("p")
    for bad, rc in (("{", -3), ("[]", -3), ({"draft_msg": 1}, -3), ({"draft_user_define": 1}, -3), (None, -4)):
        equal(a.call("TIMConvSetDraft", p, C2C, bad).rc, rc, "the draft %r" % bad)
    equal((a.call("TIMConvSetDraft", "", C2C, DRAFT).rc, a.call("TIMConvSetDraft", p, 3, DRAFT).rc,
           a.call("TIMConvCancelDraft", p, 0).rc), (-5, -5, -5), "of no conversation")
    a.call("TIMConvSetDraft", p, C2C, {})
    equal(listed(a), [], "an empty draft makes no conversation")
    a.call("TIMConvSetDraft", p, C2C, {"draft_user_define": "text alone"})
    equal(info(a, p)["conv_draft"], {"draft_user_define": "text alone", "draft_edit_time": 0}, "text alone")
    a.call("TIMConvSetDraft", p, C2C, {})
    equal((info(a, p)["conv_is_has_draft"], listed(a)), (False, [p]), "an empty draft removes the present one and leaves the conversation")
    a.logout()
    equal(a.call("TIMConvSetDraft", p, C2C, DRAFT).rc, 0, "logged out")


def test_draft_stays_where_another_device_deleted(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q", options=["--sync-deletions"])
    second.call("TIMConvSetDraft", p.name, C2C, DRAFT)
    at = second.mark()
    a.ok("TIMConvDelete", p.name, C2C)
    a.ok("TIMConvDelete", q.name, C2C)
    second.conv_event(DEL, q.name, after=at)
    left = info(second, p)
    equal((left["conv_is_has_draft"], left["conv_is_has_lastmsg"], listed(second)), (True, False, [p.name]), "what is left")


def test_filters(t):
    server, (a,), (p, q, r) = with_peers(t, "p", "q", "r", devices=1)
    team = group_of(a, p, q)
    all_ok(a, "TIMConvMarkConversation", c2c(p, q), STAR, True)
    all_ok(a, "TIMConvMarkConversation", c2c(q), 1 << 40, True)
    all_ok(a, "TIMConvCreateConversationGroup", "work", c2c(q, r))
    a.ok("TIMMsgReportReaded", r.name, C2C, None)
    p.conv_event(ADD, team)
    p.send(team, [text_elem("@alice")], kind=GROUP, message_group_at_user_array=[a.name]).wait(code=0)
    a.incoming("@alice")
    every = listed(a)
    equal(every, [team, r.name, q.name, p.name], "the list")
    for keys, want in (
            ({"conv_type": C2C}, [r, q, p]), ({"conv_type": GROUP}, [team]), ({"conv_type": 0}, every),
            ({"conversation_group": "work"}, [r, q]), ({"conversation_group": ""}, [team, p]), ({"conversation_group": "none"}, []),
            ({"mark_type": STAR}, [q, p]), ({"mark_type": 1 << 40}, [q]), ({"mark_type": FOLD}, []), ({"mark_type": 0}, [team, r]),
            ({"has_unread_count": True}, [team, q, p]), ({"has_unread_count": False}, [r]),
            ({"has_group_at_info": True}, [team]), ({"has_group_at_info": False}, [r, q, p]),
            ({"mark_type": STAR, "conversation_group": "work"}, [q]), ({"conv_type": C2C, "has_unread_count": True}, [q, p])):
        equal(fitting(a, **keys), [getattr(w, "name", w) for w in want], "the filter %r" % keys)
    equal(a.ok("TIMConvGetConversationListByFilter", {"unknown": 1}, 0, 10).json["conversation_list_result_conv_list"],
          a.conversations(), "an unknown key filters nothing")
    for keys, want in (({"conv_type": C2C}, 2), ({"mark_type": STAR}, 2), ({"conversation_group": "work"}, 1),
                       ({"conversation_group": ""}, 2), ({"mark_type": 1 << 40}, 1), ({"has_unread_count": False}, 0)):
        equal(unread(a, **keys), want, "unread by %r" % keys)
    a.ok("TIMMsgSetC2CReceiveMessageOpt", [q.name], 2)
    updated(a, q, lambda c: c["conv_recv_opt"] == 2, 0)
    equal(unread(a, mark_type=STAR), 1, "a muted conversation does not count")


def test_filters_that_are_none(t):
    a = t.user("alice")
    for bad in ({"conv_type": "1"}, {"conv_type": 9}, {"mark_type": 16}, {"mark_type": "1"}, {"conversation_group": 1},
                {"has_unread_count": 1}, {"has_group_at_info": "true"}):
        equal(a.ask("TIMConvGetConversationListByFilter", filtered(bad), 0, 10).code, 6017, "list by %r" % bad)
        equal(a.ask("TIMConvGetUnreadMessageCountByFilter", filtered(bad)).code, 6017, "unread by %r" % bad)
        for function in "TIMConvSubscribeUnreadMessageCountByFilter", "TIMConvUnsubscribeUnreadMessageCountByFilter":
            equal(a.call(function, filtered(bad)).rc, -3, "%s of %r" % (function, bad))
    equal(a.ask("TIMConvGetConversationListByFilter", filtered({"conv_type": 1}), 0, 0).code, 6017, "a page of nothing")
    equal(a.call("TIMConvGetConversationListByFilter", {}, 0, 10).rc, -3, "an empty filter")


def test_pages(t):
    """Pages show each conversation once, though messages arrive and pins change the order."""
    a, b = t.users("alice", "bob")
    names = [t.name("p%d" % i) for i in range(25)]
    for name in names:
        a.ok("TIMConvCreate", name, C2C)
    b.text(a.name, "first")
    a.incoming("first")
    seen, next = [], 0
    while True:
        got, next, last = page(a, next, 4, conv_type=C2C)
        seen += got
        a.text(b.name, "raises bob's again")
        a.call("TIMConvSetDraft", names[24], C2C, DRAFT)
        if last:
            break
    equal(len(seen), len(set(seen)), "conversations in the pages, each once")
    equal(set(seen) - {names[24]}, set(names) - {names[24]} | {b.name}, "the conversations")
    got, after, last = page(a, next, 4, conv_type=C2C)
    equal((got, after, last), ([], next, True), "behind the last page")
    every = listed(a)
    pages, next, last = [], 0, False
    while not last:
        got, next, last = page(a, next, 7, conv_type=C2C)
        pages += got
    equal(pages, every, "all pages together")
    equal(page(a, 0, 26, conv_type=C2C)[2], True, "a page that is as large as the list is the last one")


def counts(client, after=0):
    return [(json.loads(e.args[0]), e.args[1]) for e in client.events(COUNT, after)]


def test_watch(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    star, none, type = filtered({"mark_type": STAR}), filtered({"conversation_group": ""}), filtered({"conv_type": C2C})
    for f in star, none, type:
        equal(a.call("TIMConvSubscribeUnreadMessageCountByFilter", f).rc, 0, "the return value")
    equal((unread(a, mark_type=STAR), counts(a)), (0, []), "nothing is told at once")
    at = a.mark()
    all_ok(a, "TIMConvMarkConversation", c2c(p), STAR, True)
    a.event(COUNT, lambda e: json.loads(e.args[0]) == star, at)
    equal(counts(a, at), [(star, 1)], "a conversation that comes to fit")
    at = a.mark()
    p.text(a.name, "one more")
    a.event(COUNT, lambda e: json.loads(e.args[0]) == type, at)
    equal(sorted(map(str, counts(a, at))), sorted(map(str, [(star, 2), (none, 3), (type, 3)])), "a new message")
    at = a.mark()
    all_ok(a, "TIMConvCreateConversationGroup", "work", c2c(p))
    a.event(COUNT, after=at)
    equal(counts(a, at), [(none, 1)], "a conversation that fits no longer")
    equal(a.call("TIMConvUnsubscribeUnreadMessageCountByFilter", filtered({"mark_type": STAR, "has_unread_count": True})).rc, 0, "the return value")
    at = a.mark()
    a.ok("TIMMsgReportReaded", p.name, C2C, None)
    a.event(COUNT, after=at)
    equal(counts(a, at), [(type, 1)], "after unsubscribing by the same type, mark and group")
    at = a.mark()
    a.ok("TIMMsgSetC2CReceiveMessageOpt", [q.name], 2)
    a.event(COUNT, lambda e: json.loads(e.args[0]) == type, at)
    equal(sorted(map(str, counts(a, at))), sorted(map(str, [(none, 0), (type, 0)])), "a muted conversation")
    at = a.logout().mark()
    a.login().finished(at)
    at = a.mark()
    p.text(a.name, "after another login")
    a.incoming("after another login", at)
    equal((a.total(), counts(a, at), a.events(TOTAL, at)), (1, [], []), "a watch and the total's event end with the login")


def test_watch_tells_what_another_device_did(t):
    server, (a, second), (p,) = with_peers(t, "p")
    f = filtered({"conv_type": C2C, "conversation_group": "work"})
    a.call("TIMConvSubscribeUnreadMessageCountByFilter", f)
    all_ok(second, "TIMConvCreateConversationGroup", "work", c2c(p))
    equal(a.event(COUNT).args[1], 1, "when it came into the group")
    at = a.mark()
    second.ok("TIMMsgReportReaded", p.name, C2C, None)
    equal(a.event(COUNT, after=at).args[1], 0, "when it was read")


def test_clean_twice_at_once(t):
    server = t.own_server()
    a, p = t.users("alice", "p")
    p.text(a.name, "unread")
    a.incoming("unread")
    server.stop()
    a.network(timbre.DISCONNECTED)
    first = a.begin("TIMConvCleanConversationUnreadMessageCount", "c2c", 0, 0)
    equal(a.ask("TIMConvCleanConversationUnreadMessageCount", "c2c", 0, 0).code, 6015, "while one runs")
    equal(a.ask("TIMConvCleanConversationUnreadMessageCount", "group", 0, 0).code, 0, "of another type")
    server.start()
    first.wait(code=0)
    equal(a.ask("TIMConvCleanConversationUnreadMessageCount", "c2c", 0, 0).code, 0, "afterwards")


def test_mentions_and_positions(t):
    server, (a, second), (p,) = with_peers(t, "p")
    team = group_of(a, p)
    p.conv_event(ADD, team)
    one = p.sent(team, [text_elem("@alice")], kind=GROUP, message_group_at_user_array=[a.name])
    two = p.sent(team, [text_elem("@all")], kind=GROUP, message_group_at_user_array=["__kImSDK_MesssageAtALL__"])
    want = [{"conv_group_at_info_seq": one["message_seq"], "conv_group_at_info_at_type": 1},
            {"conv_group_at_info_seq": two["message_seq"], "conv_group_at_info_at_type": 2}]
    for device in a, second:
        updated(device, team, lambda c: c["conv_group_at_info_array"] == want, 0)
    fresh = t.user("alice")
    fresh.finished()
    for device in second, fresh:
        equal(info(device, team, GROUP)["conv_group_at_info_array"], want, "the mentions")
    a.ok("TIMConvCleanConversationUnreadMessageCount", "group_" + team, 0, one["message_seq"])
    updated(second, team, lambda c: c["conv_group_at_info_array"] == want[1:], 0)
    for device in a, second:
        c = info(device, team, GROUP)
        equal((c["conv_group_read_sequence"], c["conv_unread_num"], c["conv_c2c_read_timestamp"]), (one["message_seq"], 1, 0), "up to one")
    a.ok("TIMConvCleanConversationUnreadMessageCount", "group", 0, 0)
    equal(info(a, team, GROUP)["conv_group_at_info_array"], [], "when all is read")
    equal(info(a, p)["conv_c2c_read_timestamp"], 0, "before it was read")
    a.ok("TIMMsgReportReaded", p.name, C2C, None)
    updated(second, p, lambda c: c["conv_unread_num"] == 0, 0)
    now = a.call("TIMGetServerTime").rc
    for device in a, second, t.user("alice"):
        check(abs(info(device, p)["conv_c2c_read_timestamp"] - now) < 60, "the time up to which it was read")


def test_events_of_a_login(t):
    """Start, then conversations, newest first, then Finish, once; the same at another login."""
    server, (a,), peers = with_peers(t, "p", "q", "r", devices=1)
    fresh = t.user("alice")
    fresh.finished()
    kinds = [(kind, [c["conv_id"] for c in list]) for kind, list in fresh.conv_events()]
    equal(kinds, [(START, [])] + [(ADD, [p.name]) for p in reversed(peers)] + [(FINISH, [])], "the events of a fresh device")
    fresh.logout()
    peers[0].text(a.name, "while away")
    at = fresh.mark()
    fresh.login().finished(at)
    kinds = [(kind, [c["conv_id"] for c in list]) for kind, list in fresh.conv_events(at)]
    equal(kinds, [(START, []), (UPDATE, [peers[0].name]), (FINISH, [])], "the events of another login")
    equal(text_of(fresh.conv_events(at)[1][1][0]["conv_last_msg"]), "while away", "the last message")
