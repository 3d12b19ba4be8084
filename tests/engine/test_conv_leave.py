"""Conversations that leave the list: deleted one or many, with their messages or without."""
from convs import FOLD, REMOVED, all_ok, c2c, group_of, info, listed, results, unread, updated, with_peers
from timbre import ADD, C2C, DEL, GROUP, check, equal, text_elem, text_of
import timbre


def delete(client, ids, clear):
    return client.ask("TIMConvDeleteConversationList", ids, clear)


def texts(client, peer, **keys):
    return client.texts(peer.name, **keys)


def test_many_with_their_messages(t):
    server, (a, second), (p, q, r) = with_peers(t, "p", "q", "r")
    a.total()
    at, there = a.mark(), second.mark()
    got = delete(a, c2c(p, q, "nobody-at-all") + ["nonsense"], True)
    equal(results(got), {"c2c_" + p.name: 0, "c2c_" + q.name: 0, "c2c_nobody-at-all": 0, "nonsense": 6017}, "the codes")
    for peer in p, q:
        a.conv_event(DEL, peer.name, after=at)
        updated(second, peer, lambda c: c["conv_unread_num"] == 0, there)
        equal(texts(a, peer), [], "the history")
    equal((listed(a), a.total()), ([r.name], 1), "the list and the total")
    equal(len(listed(second)), 3, "another device keeps its copies")
    equal(texts(p, a), ["from " + p.name], "the peer keeps his")
    fresh = t.user("alice")
    equal((listed(fresh), fresh.total()), ([r.name], 1), "a fresh device")


def test_many_without_their_messages(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    a.total()
    at = a.mark()
    equal(results(delete(a, c2c(p), False)), {"c2c_" + p.name: 0}, "the codes")
    e = a.conv_event(DEL, p.name, after=at).json(1)[0]
    equal((e["conv_id"], e["conv_type"], e["conv_unread_num"]), (p.name, C2C, 0), "the event's conversation")
    equal((listed(a), info(a, p), a.total()), ([q.name], None, 1), "the list and the total")
    equal(texts(a, p, cloud=False), ["from " + p.name], "the history is here")
    fresh = t.user("alice")
    equal((listed(fresh), fresh.total()), ([q.name], 1), "a fresh device")
    equal(texts(fresh, p), ["from " + p.name], "and on the server")
    equal(listed(fresh), [q.name], "reading its history does not bring it back")
    created = fresh.ok("TIMConvCreate", p.name, C2C).json
    equal(text_of(created["conv_last_msg"]), "from " + p.name, "made again it shows its last message")
    equal(listed(fresh), [p.name, q.name], "and stands in the list")
    at = a.mark()
    p.text(a.name, "again")
    for device in a, fresh:
        device.incoming("again")
        equal((listed(device), device.unread(p.name)), ([p.name, q.name], 1), "a new message brings it back")
        equal(texts(device, p), ["again", "from " + p.name], "with its history")
    a.conv_event(ADD, p.name, after=at)


def test_a_group(t):
    server, (a,), (p,) = with_peers(t, "p", devices=1)
    teams = [group_of(a, p, name="team %d" % i) for i in range(2)]
    for team in teams:
        p.conv_event(ADD, team)
        p.text(team, "hello", kind=GROUP)
        a.conv_event(timbre.UPDATE, team, lambda c: c["conv_unread_num"] == 1)
    equal(set(results(delete(a, ["group_" + teams[0]], False)).values()), {0}, "hiding")
    equal(set(results(delete(a, ["group_" + teams[1]], True)).values()), {0}, "deleting")
    fresh = t.user("alice")
    for device in a, fresh:
        equal(listed(device), [p.name], "the list")
    equal([text_of(m) for m in fresh.history(teams[0], kind=GROUP) if m["message_elem_array"][0]["elem_type"] == 0], ["hello"], "what was hidden")
    equal(fresh.history(teams[1], kind=GROUP), [], "what was deleted")
    marks = {device: device.mark() for device in (a, fresh)}
    for team in teams:
        p.text(team, "back", kind=GROUP)
    for device, at in marks.items():
        for team in teams:
            device.incoming(lambda m: (m["message_conv_id"], text_of(m)) == (team, "back"), at)
            device.conv_event(ADD, team, after=at)
        equal([device.unread(x) for x in teams], [1, 1], "unread when they are back")


def test_one_that_is_only_marked(t):
    server, (a, second), () = with_peers(t)
    p = t.user("p").name
    all_ok(a, "TIMConvMarkConversation", c2c(p), FOLD, True)
    all_ok(a, "TIMConvCreateConversationGroup", "work", c2c(p))
    equal(listed(a), [], "marking does not put it into the list")
    a.ok("TIMConvCreate", p, C2C)
    equal((info(a, p)["conv_mark_array"], info(a, p)["conv_conversation_group_array"]), ([FOLD], ["work"]), "what was attached before")
    a.ok("TIMConvDelete", p, C2C)
    second.event(REMOVED)
    for device in a, second, t.user("alice"):
        device.ok("TIMConvCreate", p, C2C)
        equal((info(device, p)["conv_mark_array"], info(device, p)["conv_conversation_group_array"]), ([], []), "when it was deleted")


def test_refused(t):
    a = t.user("alice")
    equal(delete(a, ["c2c_x"] * 101, False).code, 6017, "101 conversations")
    equal(delete(a, ["x", "c2c_", "group_"], False).code, 6017, "no conversations")
    equal(a.call("TIMConvDeleteConversationList", [], False).rc, -3, "an empty array")


def test_offline(t):
    """Here at once; the server and a fresh device know after the reconnect, also when the process dies between."""
    server, (a,), (p, q, r) = with_peers(t, "p", "q", "r", devices=1)
    all_ok(a, "TIMConvMarkConversation", c2c(p, q), FOLD, True)
    server.stop()
    a.network(timbre.DISCONNECTED)
    at = a.mark()
    a.packet_timeout(1)
    a.begin("TIMConvDelete", p.name, C2C)
    got = delete(a, c2c(q), False)
    check(9500 <= got.code < 9600 and results(got) == {"c2c_" + q.name: got.code}, "the result without a connection: %r" % got)
    a.conv_event(DEL, p.name, after=at)
    a.conv_event(DEL, q.name, after=at)
    equal(listed(a), [r.name], "the list during the outage")
    a.kill()
    server.start()
    a.again().finished()
    r.text(a.name, "behind what was waiting")
    a.incoming("behind what was waiting")
    equal(listed(a), [r.name], "the list afterwards")
    server.database("SELECT 1")
    server.swept(lambda: listed(t.user("alice")) == [r.name])
    p.text(a.name, "again")
    a.incoming("again")
    equal((info(a, p)["conv_mark_array"], texts(a, p)), ([], ["again"]), "what was attached, and the history")


def test_follows_on_other_devices_where_the_server_says_so(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q", options=["--sync-deletions"])
    at = second.mark()
    delete(a, c2c(p), False)
    delete(a, c2c(q), True)
    second.conv_event(DEL, p.name, after=at)
    second.conv_event(DEL, q.name, after=at)
    equal((listed(second), second.total()), ([], 0), "the list")
    equal((texts(second, p, cloud=False), texts(second, q, cloud=False)), (["from " + p.name], []), "the histories")


def test_cleared_history_stays_listed(t):
    """Only the history goes: a fresh device lists the conversation all the same, in its place."""
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    team = group_of(a, p)
    a.ok("TIMMsgClearHistoryMessage", p.name, C2C)
    a.ok("TIMMsgClearHistoryMessage", team, GROUP)
    fresh = t.user("alice")
    for device in a, fresh:
        equal(sorted(listed(device)), sorted([p.name, q.name, team]), "the list")
        equal((info(device, p)["conv_is_has_lastmsg"], info(device, team, GROUP)["conv_is_has_lastmsg"]), (False, False), "last messages")
    equal(listed(fresh), [team, q.name, p.name], "its order")


def test_a_message_on_its_way_brings_it_back(t):
    server, (a,), (p,) = with_peers(t, "p", devices=1)
    server.stop()
    a.network(timbre.DISCONNECTED)
    call = a.send(p.name, [timbre.text_elem("on its way")])
    a.begin("TIMConvDeleteConversationList", c2c(p), False)
    a.conv_event(DEL, p.name)
    server.start()
    call.wait(code=0)
    a.conv_event(ADD, p.name, after=0)
    equal((listed(a), text_of(info(a, p)["conv_last_msg"])), ([p.name], "on its way"), "the list")
    server.swept(lambda: listed(t.user("alice")) == [p.name])


def test_a_group_in_which_nothing_was_said(t):
    """It stands in the list without a message, and leaves it for good all the same."""
    for follow in False, True:
        server = t.own_server(devices="all", options=["--sync-deletions"] if follow else [])
        a, second = t.users("alice", "alice")
        teams = [group_of(a, name="team %d" % i) for i in range(2)]
        for team in teams:
            second.conv_event(ADD, team)
        check(not info(a, teams[0], GROUP)["conv_is_has_lastmsg"], "somebody has said something")
        there = second.mark()
        equal(a.ok("TIMConvDelete", teams[0], GROUP).text, "", "deleting it")
        equal(results(delete(a, ["group_" + teams[1]], False)), {"group_" + teams[1]: 0}, "taking it out of the list")
        for team in teams if follow else []:
            second.conv_event(DEL, team, after=there)
        fresh = t.user("alice")
        fresh.finished()
        equal((listed(a), listed(fresh), sorted(listed(second))), ([], [], [] if follow else sorted(teams)), "the lists")
        at = a.mark()
        a.logout().login().finished(at)
        equal(listed(a), [], "the list after another login")
        fresh.send(teams[0], [text_elem("hello")], kind=GROUP).wait(code=0)
        a.incoming("hello")
        late = t.user("alice")
        late.finished()
        for device in a, fresh, late:
            equal(listed(device), [teams[0]], "what is said brings it back")
