"""Conversation groups: the user's own folders of conversations."""
from convs import (ADDED, CREATED, DELETED, REMOVED, RENAMED, all_ok, c2c, fitting, group_of, groups, info, results, same_everywhere,
                   told, updated, with_peers)
from timbre import C2C, GROUP, check, equal


def create(client, name, *peers):
    return all_ok(client, "TIMConvCreateConversationGroup", name, c2c(*peers))


def inside(client, peer):
    return info(client, peer)["conv_conversation_group_array"]


def test_create_and_delete(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    at = second.mark()
    create(a, "work", p, q)
    create(a, "\u5bb6\u5ead", p)
    for device in a, second:
        updated(device, p, lambda c: c["conv_conversation_group_array"] == ["work", "\u5bb6\u5ead"], 0)
        equal(groups(device), ["work", "\u5bb6\u5ead"], "the groups")
        equal(told(device, CREATED, n=2), [["work", [p.name, q.name]], ["\u5bb6\u5ead", [p.name]]], "the events")
    equal((inside(a, p), inside(a, q)), (["work", "\u5bb6\u5ead"], ["work"]), "who stands where")
    equal(a.ok("TIMConvDeleteConversationGroup", "work").text, "", "the result")
    updated(second, q, lambda c: c["conv_conversation_group_array"] == [], at)
    for device in a, second:
        equal((groups(device), inside(device, p), inside(device, q)), (["\u5bb6\u5ead"], ["\u5bb6\u5ead"], []), "without it")
        equal(told(device, DELETED, n=1), [["work"]], "the event")
        equal(told(device, REMOVED), [], "the conversations were not removed one by one")
    same_everywhere((a, second, t.user("alice")))


def test_an_event_shows_conversations_as_they_are(t):
    import json
    server, (a,), (p,) = with_peers(t, "p", devices=1)
    create(a, "work", p)
    e = a.event(CREATED)
    equal(json.loads(e.args[1]), [info(a, p)], "the conversation in the event")


def test_rename(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    create(a, "one", p)
    create(a, "two", p, q)
    at = second.mark()
    equal(a.ok("TIMConvRenameConversationGroup", "one", "uno").text, "", "the result")
    updated(second, p, lambda c: c["conv_conversation_group_array"] == ["uno", "two"], at)
    for device in a, second:
        equal((groups(device), told(device, RENAMED, n=1)), (["uno", "two"], [["one", "uno"]]), "the groups and the event")
    equal(a.ask("TIMConvRenameConversationGroup", "uno", "two").code, 6017, "to a name that is taken")
    equal(a.ask("TIMConvRenameConversationGroup", "none", "x").code, 51009, "of none")
    equal(a.ask("TIMConvRenameConversationGroup", "uno", "x" * 33).code, 51011, "to a name of 33 bytes")
    equal(a.ask("TIMConvRenameConversationGroup", "uno", "").code, 6017, "to no name")
    same_everywhere((a, second, t.user("alice")))


def test_add_and_remove(t):
    server, (a, second), (p, q, r) = with_peers(t, "p", "q", "r")
    create(a, "work", p)
    at, here = second.mark(), a.mark()
    got = results(a.ok("TIMConvAddConversationsToGroup", "work", c2c(p, q) + ["c2c_nobody-at-all", "nonsense"]))
    equal(got, {"c2c_" + p.name: 0, "c2c_" + q.name: 0, "c2c_nobody-at-all": 51007, "nonsense": 6017}, "the codes")
    updated(second, q, lambda c: c["conv_conversation_group_array"] == ["work"], at)
    for device, mark in (a, here), (second, at):
        equal(told(device, ADDED, mark, 1), [["work", [q.name]]], "added is only who was not in it")
    all_ok(a, "TIMConvAddConversationsToGroup", "work", c2c(p))
    got = results(a.ok("TIMConvDeleteConversationsFromGroup", "work", c2c(p, r)))
    equal(set(got.values()), {0}, "removing who is in it and who is not")
    updated(second, p, lambda c: c["conv_conversation_group_array"] == [], at)
    for device, mark in (a, here), (second, at):
        equal(told(device, REMOVED, mark, 1), [["work", [p.name], 0]], "removed is only who was in it")
        equal(told(device, ADDED, mark), [["work", [q.name]]], "nothing was added again")
    for function in "TIMConvAddConversationsToGroup", "TIMConvDeleteConversationsFromGroup":
        equal(a.ask(function, "none", c2c(p)).code, 51009, function + " of an unknown group")
        equal(a.ask(function, "work", ["c2c_x"] * 101).code, 51006, function + " with 101 conversations")
        equal(a.call(function, "work", []).rc, -3, function + " with an empty array")
    equal(a.ask("TIMConvDeleteConversationGroup", "none").code, 51009, "deleting an unknown group")
    same_everywhere((a, second, t.user("alice")))


def test_an_empty_group_stays(t):
    server, (a, second), (p,) = with_peers(t, "p")
    create(a, "work", p)
    all_ok(a, "TIMConvDeleteConversationsFromGroup", "work", c2c(p))
    equal(groups(a), ["work"], "here")
    equal(groups(t.user("alice")), ["work"], "on a fresh device")


def test_create_is_refused(t):
    server, (a,), (p,) = with_peers(t, "p", devices=1)
    equal(a.ask("TIMConvCreateConversationGroup", "", c2c(p)).code, 6017, "without a name")
    equal(a.ask("TIMConvCreateConversationGroup", "x" * 33, c2c(p)).code, 51011, "33 bytes")
    equal(a.ask("TIMConvCreateConversationGroup", "\u4f60" * 11, c2c(p)).code, 51011, "33 bytes of 11 characters")
    equal(a.ask("TIMConvCreateConversationGroup", "work", []).code, 6017, "without conversations")
    equal(a.ask("TIMConvCreateConversationGroup", "work", ["work"]).code, 6017, "without one that is one")
    equal(a.ask("TIMConvCreateConversationGroup", "work", "{").code, 6017, "with bad JSON")
    equal(a.ask("TIMConvCreateConversationGroup", "work", ["c2c_x"] * 101).code, 51006, "with 101 conversations")
    equal(groups(a), [], "the groups")
    for i in range(20):
        create(a, "group %d" % i, p)
    equal(a.ask("TIMConvCreateConversationGroup", "one more", c2c(p)).code, 51010, "the 21st")
    create(a, "group 3", p)
    equal(groups(a), ["group %d" % i for i in range(20)], "the groups in the order of their making")


def test_create_one_that_exists_adds(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    create(a, "work", p)
    at = second.mark()
    create(a, "work", q)
    second.event(ADDED, after=at)
    for device in a, second:
        equal(told(device, ADDED, n=1), [["work", [q.name]]], "the event")
        equal(len(told(device, CREATED)), 1, "groups that were created")


def test_of_groups_too(t):
    server, (a, second), (p,) = with_peers(t, "p")
    team = group_of(a, p)
    all_ok(a, "TIMConvCreateConversationGroup", "work", ["group_" + team] + c2c(p))
    equal(sorted(fitting(a, conversation_group="work")), sorted([team, p.name]), "what stands in it")
    second.event(CREATED)
    equal(info(second, team, GROUP)["conv_conversation_group_array"], ["work"], "the group's conversation elsewhere")


def test_restart_and_away(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    create(a, "one", p)
    second.event(CREATED)
    second.logout()
    a.ok("TIMConvRenameConversationGroup", "one", "uno")
    create(a, "one", q)
    create(a, "two", p, q)
    a.ok("TIMConvDeleteConversationGroup", "two")
    all_ok(a, "TIMConvDeleteConversationsFromGroup", "uno", c2c(p))
    at = second.mark()
    second.login().finished(at)
    equal((told(second, RENAMED, at), told(second, DELETED, at)), ([["one", "uno"]], [["two"]]), "what it is told afterwards")
    same_everywhere((a, second))
    a.again().finished()
    same_everywhere((a, second, t.user("alice")))


def test_a_fresh_device_is_told_before_it_has_finished(t):
    server, (a,), (p,) = with_peers(t, "p", devices=1)
    create(a, "work", p)
    fresh = t.user("alice")
    fresh.finished()
    equal(told(fresh, CREATED), [["work", [p.name]]], "the event")
    names = [e.name for e in fresh.events()]
    check(names.index(CREATED) < max(i for i, e in enumerate(fresh.events()) if e.name == "TIMSetConvEventCallback" and e.args[0] == 4),
          "it comes before Finish")
    equal((groups(fresh), inside(fresh, p)), (["work"], ["work"]), "what it shows")


def test_gone_with_the_conversation(t):
    server, (a, second), (p, q) = with_peers(t, "p", "q")
    create(a, "work", p, q)
    at, here = second.mark(), a.mark()
    a.ok("TIMConvDelete", p.name, C2C)
    updated(second, p, lambda c: c["conv_conversation_group_array"] == [], 0)
    for device, mark in (a, here), (second, at):
        device.event(REMOVED, after=mark)
        equal(told(device, REMOVED, mark), [["work", [p.name], 0]], "the event")
    p.text(a.name, "back")
    a.incoming("back")
    equal(inside(a, p), [], "when it is back")
    same = t.user("alice")
    equal((inside(same, p), inside(same, q)), ([], ["work"]), "on a fresh device")
