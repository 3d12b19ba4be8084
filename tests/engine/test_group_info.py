"""What a group is: changes of its information, of members, and what everybody is told of them."""
import time

import timbre
from groups import (ADMIN, ANY, CARD_FLAG, CUSTOM_FLAG, FORBID, MUTE_FLAG, OPTION_FLAG, PUBLIC, ROLE_FLAG, TIPS, WORK, change, create, custom,
                    customs, detail, info, joined, kick, members, modify, report, say, tip)
from timbre import UPDATE, check, equal

NAME, NOTICE, INTRO, FACE, ADD_OPTION, MAX, VISIBLE, SEARCHABLE, MUTE_ALL, CUSTOM, APPROVE = 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 4096
FOREVER = 4294967295


def changes(e):
    prefix = "group_tips_group_change_info_"
    return [(c[prefix + "flag"], c.get(prefix + "key", ""), c.get(prefix + "value", "")) for c in e["group_tips_elem_group_change_info_array"]]


def test_texts(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    tip(b, group, 1)
    equal(change(b, group, NAME, group_name="mine"), 10007, "a member changes the name")
    equal(change(a, group, NAME | NOTICE | INTRO | FACE, group_name="新的名字", notification="n", introduction="i", face_url="http://f"), 0, "the change")
    for u in (a, b):
        equal(sorted(changes(tip(u, group, 6))), [(1, "", "新的名字"), (2, "", "i"), (3, "", "n"), (4, "", "http://f")], "the tip")
        u.conv_event(UPDATE, group, lambda c: c["conv_show_name"] == "新的名字")
        c = u.conversation(group)
        equal((c["conv_show_name"], c["conv_face_url"]), ("新的名字", "http://f"), "the conversation of " + u.name)
        d = detail(u, group)
        equal((d["group_name"], d["notification"], d["introduction"], d["face_url"]), ("新的名字", "n", "i", "http://f"), "the group")
        equal(joined(u)[group]["group_base_info_group_name"], "新的名字", "the name in the list")
    for code, flags, keys in ((8502, NAME, {"group_name": ""}), (8502, NAME, {"group_name": "x" * 101}), (8503, INTRO, {"introduction": "x" * 401}),
                              (8504, NOTICE, {"notification": "x" * 401}), (8505, FACE, {"face_url": "x" * 501}), (6017, NAME, {}), (6017, 0, {}),
                              (6017, 1 << 20, {})):
        equal(change(a, group, flags, **keys), code, "flags %d with %r" % (flags, keys))
    equal(a.call("TIMGroupModifyGroupInfo", {"group_modify_info_param_modify_flag": 1}).rc, -3, "no group")


def test_any_member_of_a_work_group_names_it(t):
    a, b = t.users("alice", "bob")
    group = create(a, WORK, [b])
    tip(b, group, 1)
    equal(change(b, group, NAME, group_name="ours"), 0, "a member changes the name")
    equal(changes(tip(a, group, 6)), [(1, "", "ours")], "the tip")
    equal(change(b, group, CUSTOM, custom_info=custom(k="v")), 10007, "a member changes fields")


def test_options_and_fields(t):
    a, b = t.users("alice", "bob")
    fields = [{"group_member_info_custom_string_info_key": "k", "group_member_info_custom_string_info_value": "v"}]
    group = create(a, PUBLIC, custom_info=custom(first="1", second="2"),
                   group_member_array=[{"group_member_info_identifier": b.name, "group_member_info_custom_info": fields}])
    equal(customs(members(a, group)[b.name]["group_member_info_custom_info"], "group_member_info"), {"k": "v"}, "a member's fields of the beginning")
    equal(customs(detail(b, group)["custom_info"]), {"first": "1", "second": "2"}, "fields of the beginning")
    equal(change(a, group, ADD_OPTION | APPROVE | MAX | CUSTOM, add_option=FORBID, approve_option=ANY, max_member_num=9,
                 custom_info=custom(first="one", second="", third="3")), 0, "the change")
    d = detail(b, group)
    equal((d["add_option"], d["approve_option"], d["max_member_num"], customs(d["custom_info"])), (FORBID, ANY, 9, {"first": "one", "third": "3"}),
          "the group")
    e = tip(b, group, 6, match=lambda e: any(c["group_tips_group_change_info_flag"] == 6 for c in e["group_tips_elem_group_change_info_array"]))
    check((6, "first", "one") in changes(e), "the field in the tip: %r" % changes(e))
    equal(change(a, group, MAX, max_member_num=1_000_000), 8507, "too many members")
    check(change(a, group, CUSTOM, custom_info=custom(**{"k" * 17: "v"})) != 0, "a long key was taken")


def test_hidden(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, PUBLIC, [b])
    equal(detail(c, group)["group_name"], "a group", "what a stranger sees")
    equal(change(a, group, VISIBLE | SEARCHABLE, visible=0, searchable=0), 0, "hiding")
    d = detail(b, group)
    equal((d["visible"], d["searchable"]), (0, 0), "what a member sees")
    equal(info(c, group)[0]["get_groups_info_result_code"], 10007, "a stranger asks")


def test_mute_all(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    tip(b, group, 1)
    equal(change(a, group, MUTE_ALL, is_shutup_all=True), 0, "muting everybody")
    equal((say(b, group, "x").code, say(a, group, "y").code), (10017, 0), "who may speak")
    b.incoming("y")
    equal(joined(b)[group]["group_base_info_is_shutup_all"], True, "the list")
    equal(detail(b, group)["is_shutup_all"], True, "the group")
    equal(change(a, group, MUTE_ALL, is_shutup_all=False), 0, "letting everybody speak")
    equal(say(b, group, "x").code, 0, "a member's message")


def test_mute(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    tip(b, group, 1)
    equal(modify(b, group, a.name, MUTE_FLAG, shutup_time=9), 10007, "a member mutes")
    for seconds in (600, FOREVER):
        equal(modify(a, group, b.name, MUTE_FLAG, shutup_time=seconds), 0, "muting")
        for u in (a, b):
            e = tip(u, group, 7, match=lambda e: e["group_tips_elem_member_change_info_array"][0]["group_tips_member_change_info_shutupTime"] == seconds)
            equal(e["group_tips_elem_member_change_info_array"][0]["group_tips_member_change_info_identifier"], b.name, "who is muted")
    equal(report(b, group, 17)["group_report_elem_shut_up_time"], 600, "the report")
    equal(say(b, group, "x").code, 10017, "who is muted speaks")
    check(members(a, group, [b.name])[b.name]["group_member_info_shutup_time"] > 0, "the list does not say it")
    mark = b.mark()
    equal(modify(a, group, b.name, MUTE_FLAG, shutup_time=0), 0, "letting him speak")
    equal(tip(b, group, 7, mark)["group_tips_elem_member_change_info_array"][0]["group_tips_member_change_info_shutupTime"], 0, "the tip")
    equal(say(b, group, "x").code, 0, "he speaks")
    equal(modify(a, create(a, WORK, [b]), b.name, MUTE_FLAG, shutup_time=9), 10004, "muting in a work group")


def test_members_information(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, PUBLIC, [b, c])
    fields = [{"group_member_info_custom_string_info_key": "k", "group_member_info_custom_string_info_value": "v"}]
    equal(modify(b, group, b.name, CARD_FLAG | CUSTOM_FLAG, name_card="设计师", custom_info=fields), 0, "the own card")
    m = members(c, group, [b.name])[b.name]
    equal((m["group_member_info_name_card"], customs(m["group_member_info_custom_info"], "group_member_info")), ("设计师", {"k": "v"}), "as others see it")
    equal(modify(c, group, b.name, CARD_FLAG, name_card="x"), 10007, "a member changes another's card")
    equal(modify(a, group, b.name, CARD_FLAG, name_card="by the owner"), 0, "the owner changes it")
    equal(modify(b, group, b.name, CARD_FLAG, name_card="x" * 51), 8506, "a long card")
    equal(modify(b, group, b.name, OPTION_FLAG | CARD_FLAG, msg_flag=2, name_card="two at once"), 0, "an option and a card")
    equal(joined(b)[group]["group_base_info_msg_flag"], 2, "the option")
    equal(modify(a, group, b.name, ROLE_FLAG, member_role=ADMIN), 0, "an admin")
    equal(modify(b, group, c.name, MUTE_FLAG, shutup_time=60), 0, "the admin mutes")
    equal(modify(b, group, a.name, MUTE_FLAG, shutup_time=60), 10007, "the admin mutes the owner")
    equal(list(members(a, group, roles=2)), [b.name], "admins")


def test_where_members_are_online(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, PUBLIC, [b, c])
    c.logout()
    found = members(a, group)
    equal([(found[u.name]["group_member_info_is_online"], found[u.name]["group_member_info_online_devices"]) for u in (a, b, c)],
          [(True, ["Linux"]), (True, ["Linux"]), (False, [])], "who is online, and where")
    param = {"group_search_member_params_keyword_list": [b.name]}
    hit = a.ok("TIMGroupSearchGroupMembers", param).json[0]["group_search_member_result_member_info_list"][0]
    equal((hit["group_member_info_is_online"], hit["group_member_info_online_devices"]), (False, []), "what is kept of it")


def test_changed_while_away(t):
    """What changed while a device was away is there when it comes back, and in its own words."""
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    tip(b, group, 1)
    b.kill()
    equal(change(a, group, NAME, group_name="after"), 0, "the name")
    b.again()
    timbre.poll(lambda: b.conversation(group)["conv_show_name"] == "after", "the new name did not come")
    equal(joined(b)[group]["group_base_info_group_name"], "after", "the list")


def test_online(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, WORK, [b, c])
    c.logout()
    begun = time.monotonic()
    count = a.ok("TIMGroupGetOnlineMemberCount", group).json
    equal(count, {"group_get_online_member_count_result": 2}, "members who are online")
    b.logout()
    again = a.ok("TIMGroupGetOnlineMemberCount", group).json
    if time.monotonic() - begun < 5:  # it is counted every five seconds at most
        equal(again, count, "a moment later")
    equal(c.login().ask("TIMGroupGetOnlineMemberCount", t.name("none")).code, 10010, "no group")


def test_nothing_to_tell(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b], group_name="same")
    tip(b, group, 1)
    equal(change(a, group, NAME, group_name="same"), 0, "the same name")
    say(a, group, "end")
    b.incoming("end")
    equal([e.json()["group_tips_elem_tip_type"] for e in b.events(TIPS)], [1], "tips")


def test_the_list_follows(t):
    """A device that never asked for the list knows it without a network as the server had it last."""
    server = t.own_server(devices="all")
    a, b, b2 = t.user("alice"), t.user("bob"), t.user("bob")
    named, led, owned, left, gone, quiet = [create(a, PUBLIC, [b], group_name="group %d" % i) for i in range(6)]
    equal(change(a, named, NAME | FACE | MUTE_ALL, group_name="新", face_url="http://f", is_shutup_all=True), 0, "a name")
    equal(modify(a, led, b.name, ROLE_FLAG, member_role=ADMIN), 0, "a role")
    equal(change(a, owned, 1 << 31, owner=b.name), 0, "an owner")
    equal(kick(a, left, b.name)[0], 0, "a removal")
    a.ok("TIMGroupDelete", gone)
    equal(modify(b2, quiet, b.name, OPTION_FLAG, msg_flag=2), 0, "an option")
    for text in ("one", "two"):
        equal(say(a, led, text).code, 0, text)
        for u in (b, b2):
            u.incoming(text)
    for u in (b, b2):
        report(u, gone, 5)
        report(u, quiet, 21)
    b.conv_event(UPDATE, named, lambda c: c["conv_show_name"] == "新")
    for group, kind in ((named, 6), (led, 4), (owned, 6)):
        tip(b, group, kind)
    report(b, left, 4)
    want = joined(b2)
    equal(sorted(want), sorted([named, led, owned, quiet]), "the groups")
    equal(want[led]["group_base_info_self_info"]["group_self_info_unread_num"], 2, "unread")
    server.stop()
    b.network(timbre.DISCONNECTED)
    b.packet_timeout(1)
    equal(joined(b), want, "the list without a network")
