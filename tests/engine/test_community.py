"""Communities: making them, lists, coming and going, and what stays on the devices."""
from communities import (CREATED, DELETED, INFO, changed, community, info, infos, joined, known, last_text, said, say, topic, unread)
from relays import Relay
from timbre import ADD, DISCONNECTED, GROUP, check, equal

COMMUNITY, WORK = 5, 1
TIPS = "TIMSetGroupTipsEventCallback"


def team(t, *others, devices=1):
    """A server with communities, alice who owns one, bob in it on so many devices, and others who are not in it."""
    t.own_server(devices="all")
    a, *bobs = t.user("alice"), *[t.user("bob") for _ in range(devices)]
    group = community(a, bobs[0])
    for b in bobs:
        b.conv_event(ADD, group)
    return [group, a, *bobs, *t.users(*others)]


def away(client):
    client.logout()
    return client.mark()


def test_create(t):
    group, a, b = team(t)
    check(group.startswith("@TGS#_"), "the id of a community is %s" % group)
    for u in (a, b):
        g = joined(u)[group]
        equal((g["group_base_info_group_type"], g["group_base_info_group_name"]), (COMMUNITY, "a community"), "the community in the list")
        equal(u.ok("TIMGroupGetJoinedCommunityList").json, u.ok("TIMCommunityGetJoinedCommunityList").json, "the older function")
        check(group not in [g["group_base_info_group_id"] for g in u.ok("TIMGroupGetJoinedGroupList").json], "it is in the list of groups")
    found = b.ok("TIMGroupGetGroupInfoList", [group]).json[0]["get_groups_info_result_info"]
    equal(found["group_detail_info_is_support_topic"], True, "whether it has topics")
    plain = a.ok("TIMGroupCreate", {"create_group_param_group_name": "plain", "create_group_param_group_type": COMMUNITY}).json
    plain = plain["create_group_result_groupid"]
    check(plain not in joined(a), "a community without topics is in the list of those with topics")
    topic(a, plain, "no", code=10004)
    say(b, group, "in the community itself")  # allowed: a conversation like that of every group
    a.incoming("in the community itself")
    equal(a.unread(group), 1, "unread in the community itself")


def test_leaving_and_coming_back(t):
    """Who leaves hears nothing more and keeps what he has read; who comes back goes on."""
    group, a, b, b2, c = team(t, "carol", devices=2)
    news = topic(a, group, "News")
    for u in (b, b2):
        known(u, news)
    say(a, news, "one")
    for u in (b, b2):
        u.incoming("one")
    mark = b.mark()
    b.ok("TIMGroupQuit", group)
    a.event(TIPS, lambda e: e.json()["group_tips_elem_tip_type"] == 2)
    say(a, news, "two")
    say(b, news, "not in", code=10007)
    equal((said(b, news, cloud=False)[-1], [m for m in b.received(mark) if m["message_conv_id"] == news]), ("one", []), "what who left has and hears")
    equal(b.ask("TIMCommunityGetTopicInfoList", group, []).code, 10007, "the topics for who left")
    check(group not in joined(b), "the community is in the list of who left")
    equal(b.events(DELETED, mark), [], "deletions at who left")
    at = a.mark()
    c.ok("TIMGroupJoin", group, "")
    b.ok("TIMGroupJoin", group, "")
    c.conv_event(ADD, group)
    a.event(TIPS, lambda e: e.json()["group_tips_elem_user_array"] == [b.name], at)
    say(a, news, "three")
    for u in (b, b2, c):
        u.incoming("three")
        changed(u, news, lambda i: last_text(i) == "three")
        equal(info(u, group, news)[INFO + "unread_count"], 1, "unread after coming back")
        equal(said(u, news), ["three", "two", "one"], "the history")


def test_restart_and_fresh_device(t):
    """A restart finds everything without the server, a new device finds it with the server, and neither hears of old topics."""
    group, a, b = team(t)
    news, chat = topic(a, group, "News"), topic(a, group, "Chat")
    for n in range(3):
        say(a, news, "n%d" % n)
    changed(b, news, unread(3))
    b.again()
    fresh = t.user("bob")
    for u in (b, fresh):
        equal({k: i[INFO + "unread_count"] for k, (_, i) in infos(u, group).items()}, {news: 3, chat: 0}, "unread")
        equal(said(u, news), ["n2", "n1", "n0"], "the history")
        check(news not in [c["conv_id"] for c in u.conversations()], "a topic stands in the list")
        equal(u.total(), 0, "the total")
    equal(fresh.events(CREATED), [], "news of old topics at a new device")
    say(a, chat, "more")
    for u in (b, fresh):
        changed(u, chat, unread(1))


def test_catching_up(t):
    """A device that was away hears of topics that came and went, and of what was said in them."""
    group, a, b, b2 = team(t, devices=2)
    old, gone = topic(a, group, "Old"), topic(a, group, "Gone")
    for u in (b, b2):
        known(u, gone)
    say(a, gone, "soon forgotten")
    b2.incoming("soon forgotten")
    mark = away(b2)
    a.ok("TIMCommunityDeleteTopicFromCommunity", group, [gone])
    new = topic(a, group, "New")
    short = topic(a, group, "Short")
    a.ok("TIMCommunityDeleteTopicFromCommunity", group, [short])
    for id in (old, new):
        for n in range(5):
            say(a, id, "%d" % n)
    known(b, new)
    for id in (old, new):
        changed(b, id, unread(5))
    b2.login()
    b2.event(DELETED, lambda e: e.json(1) == [gone], mark)
    equal([e.args for e in b2.events(CREATED, mark) if e.args[1] == new], [[group, new]], "news of the new topic")
    for u in (b, b2):
        equal({k: i[INFO + "unread_count"] for k, (_, i) in infos(u, group).items()}, {old: 5, new: 5}, "unread")
        equal(said(u, new), ["4", "3", "2", "1", "0"], "the history of the new topic")
        equal(u.ok("TIMConvGetConvInfo", [{"get_conversation_list_param_conv_id": gone, "get_conversation_list_param_conv_type": GROUP}]).json,
              [], "the conversation of what is gone")


def test_without_a_network(t):
    """While the server cannot be reached, lists answer what the device knows; after it everything is there once."""
    server = t.own_server(devices="all")
    gate = Relay(("127.0.0.1", server.port))
    t.defer(gate.close)
    a, b = t.user("alice"), t.user("bob", url=gate.url)
    group = community(a, b)
    b.conv_event(ADD, group)
    news = topic(a, group, "News")
    known(b, news)
    say(a, news, "before")
    changed(b, news, unread(1))
    mark = b.mark()
    gate.target, way = None, gate.target
    gate.cut()
    b.network(DISCONNECTED, mark)
    b.packet_timeout(1)
    chat = topic(a, group, "Chat")
    for id in (news, chat):
        say(a, id, "meanwhile")
    equal([(k, i[INFO + "unread_count"]) for k, (_, i) in infos(b, group).items()], [(news, 1)], "the topics without a network")
    equal(list(joined(b)), [group], "the communities without a network")
    gate.target = way
    known(b, chat)
    changed(b, news, unread(2), mark)
    changed(b, chat, unread(1), mark)
    equal(sorted(m["message_conv_id"] for m in b.received(mark) if m["message_conv_id"] in (news, chat)), sorted([news, chat]), "new messages")
    equal(len([e for e in b.events(CREATED, mark)]), 1, "news of topics")


def test_end(t):
    """Who is removed, and everybody after a dismissal, has no topics any more; other communities stay as they are."""
    group, a, b, b2 = team(t, devices=2)
    other = community(a, b)
    news, kept = topic(a, group, "News"), topic(a, other, "Kept")
    for u in (b, b2):
        known(u, news)
        known(u, kept)
    say(a, news, "one")
    for u in (b, b2):
        u.incoming("one")
    marks = {u: u.mark() for u in (b, b2)}
    a.ok("TIMGroupDelete", group)
    for u in (b, b2):
        u.incoming(lambda m: m["message_elem_array"][0].get("group_report_elem_report_type") == 5, marks[u], what="the report of the dismissal")
        equal((list(joined(u)), u.events(DELETED, marks[u])), ([other], []), "the communities")
        check(u.ask("TIMCommunityGetTopicInfoList", group, []).code in (10007, 10010), "the topics of what was dismissed")
        equal(said(u, news, cloud=False), ["one"], "what was said stays on the device")
    say(a, news, "into nothing", code=10010)
    a.ok("TIMGroupDeleteMember", {"group_delete_member_param_group_id": other, "group_delete_member_param_identifier_array": [b.name]})
    for u in (b, b2):
        u.incoming(lambda m: m["message_elem_array"][0].get("group_report_elem_report_type") == 4, marks[u], what="the report of the removal")
        equal(joined(u), {}, "the communities at last")
    mark = b.mark()
    say(a, kept, "for others")
    say(b, kept, "not in", code=10007)
    equal([m for m in b.received(mark) if m["message_conv_id"] == kept], [], "what who was removed hears")
