"""Groups: making them, coming and going, roles, lists, and what members are told."""
import timbre
from groups import (ADMIN, ANY, AUTH, FORBID, MEETING, MEMBER, NOT_NOTIFY, OPTION_FLAG, OWNER, PUBLIC, RECEIVE, ROLE_FLAG, TIPS,
                    WORK, create, group_texts, info, invite, joined, members, modify, say, tip)
from timbre import ADD, GROUP, check, equal, text_elem


def test_create_with_members(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, WORK, [b, c])
    check(group.startswith("@TGS#"), "the server's id %r" % group)
    for u in (b, c):
        u.conv_event(ADD, group)
    for u in (a, b, c):
        e = tip(u, group, 1)
        equal((e["group_tips_elem_op_user"], e["group_tips_elem_user_array"], e["group_tips_elem_member_num"], e["group_tips_elem_join_type"]),
              (a.name, [b.name, c.name], 3, 2), "the tip at %s" % u.name)
        equal(e["group_tips_elem_op_group_memberinfo"]["group_member_info_member_role"], OWNER, "the operator's role")
        equal([m["group_member_info_identifier"] for m in e["group_tips_elem_changed_group_memberinfo_array"]], [b.name, c.name],
              "the changed members")
        me = joined(u)[group]["group_base_info_self_info"]
        equal(me["group_self_info_role"], OWNER if u is a else MEMBER, "the role of %s" % u.name)
    m = b.incoming(lambda m: m["message_conv_id"] == group, what="the tip as a message")
    equal((m["message_conv_type"], m["message_sender"], m["message_elem_array"][0]["elem_type"]), (GROUP, "@TIM#SYSTEM", 5), "the tip's message")
    equal(b.conversation(group)["conv_unread_num"], 0, "unread after a tip")


def test_messages_after_joining(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, add_option=ANY, group_id=t.name("team"))
    equal(group, t.name("team"), "the id")
    equal(say(a, group, "before").code, 0, "the owner's message")
    check(say(b, group, "not in").code == 10007, "who is not in the group may speak")
    b.ok("TIMGroupJoin", group, "hello")
    for u in (a, b):
        e = tip(u, group, 1)
        equal((e["group_tips_elem_op_user"], e["group_tips_elem_user_array"], e["group_tips_elem_join_type"]), (b.name, [b.name], 1), "the tip")
    equal(say(a, group, "after").code, 0, "the owner's second message")
    b.incoming("after")
    equal(group_texts(b, group), ["after", 1], "what the new member sees")
    equal(group_texts(a, group), ["after", 1, "before"], "what the owner sees")


def test_meeting_has_history_and_no_tips(t):
    a, b = t.users("alice", "bob")
    group = create(a, MEETING)
    say(a, group, "before")
    b.ok("TIMGroupJoin", group, None)
    b.conv_event(ADD, group)
    equal(group_texts(b, group), ["before"], "the history of a new member")
    say(a, group, "after")
    b.incoming("after")
    b.ok("TIMGroupQuit", group)
    equal([e.args for u in (a, b) for e in u.events(TIPS)], [], "tips in a meeting")


def test_quit(t):
    a, b = t.users("alice", "bob")
    group = create(a, WORK, [b])
    tip(b, group, 1)
    mark = a.mark()
    b.ok("TIMGroupQuit", group)
    e = tip(a, group, 2, mark)
    equal((e["group_tips_elem_op_user"], e["group_tips_elem_member_num"]), (b.name, 1), "the tip")
    check(group not in joined(b), "the group is still in the list")
    equal(b.ask("TIMGroupQuit", group).code, 10007, "quitting twice")
    equal(say(b, group, "x").code, 10007, "speaking afterwards")
    equal([e for e in b.events(TIPS) if e.json()["group_tips_elem_tip_type"] == 2], [], "quit tips at who left")
    a.ok("TIMGroupQuit", group)  # a work group goes on without an owner
    equal(a.ask("TIMGroupQuit", create(a, PUBLIC)).code, 10009, "the owner of a public group quits")


def test_who_may_join(t):
    a, b = t.users("alice", "bob")
    for kind, keys, code in ((WORK, {}, 8508), (PUBLIC, {}, 0), (PUBLIC, {"add_option": FORBID}, 10007),
                             (PUBLIC, {"add_option": ANY, "max_member_num": 1}, 10014), (MEETING, {}, 0)):
        group = create(a, kind, **keys)
        equal(b.ask("TIMGroupJoin", group, "").code, code, "joining a group of type %d with %r" % (kind, keys))
    equal(b.ask("TIMGroupJoin", group, "").code, 10013, "joining twice")
    equal(b.ask("TIMGroupJoin", t.name("none"), "").code, 10010, "joining nothing")


def test_bad_groups(t):
    a, b = t.users("alice", "bob")
    mine = create(a, PUBLIC, group_id=t.name("mine"))
    for code, keys in ((8501, {"group_id": "@TGS#x"}), (8501, {"group_id": "\u7ec4"}), (8502, {"group_name": "x" * 101}),
                       (8502, {"group_name": ""}), (8503, {"introduction": "x" * 401}), (8504, {"notification": "x" * 401}),
                       (8505, {"face_url": "x" * 501}), (8507, {"max_member_num": 3000}), (10025, {"group_id": mine}),
                       (6017, {"custom_info": [{}]}), (6017, {"add_option": "any"}), (6017, {"approve_option": True}),
                       (10019, {"group_member_array": [{"group_member_info_identifier": t.name("no")}]})):
        create(a, PUBLIC, code=code, **keys)
    create(b, PUBLIC, code=10021, group_id=mine)
    for kind in (3, 9):
        create(a, kind, code=10004)
    equal(a.call("TIMGroupCreate", {"create_group_param_group_type": 1}).rc, -3, "no name")
    equal(list(joined(a)), [mine], "the groups of alice")


def test_invite(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, WORK, [b])
    nobody = t.name("nobody")
    equal(invite(b, group, a.name, c.name, nobody), (0, [(a.name, 2), (c.name, 1), (nobody, 0)]), "the results")
    e = tip(c, group, 1)
    equal((e["group_tips_elem_op_user"], e["group_tips_elem_user_array"], e["group_tips_elem_join_type"]), (b.name, [c.name], 2), "the tip")
    equal(invite(a, group)[0], 8510, "inviting nobody")
    equal(invite(a, group, *[nobody] * 21)[0], 10005, "inviting 21")
    equal(invite(a, create(a, PUBLIC), b.name)[0], 10007, "inviting to a public group")
    equal(invite(b, create(a, WORK), b.name)[0], 10007, "inviting to a group of others")
    equal(a.call("TIMGroupInviteMember", {"group_invite_member_param_group_id": group}).rc, -3, "no users")


def test_roles(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    tip(b, group, 1)
    equal(modify(b, group, a.name, ROLE_FLAG, member_role=ADMIN), 10007, "a member gives a role")
    for role, kind in ((ADMIN, 4), (MEMBER, 5)):
        equal(modify(a, group, b.name, ROLE_FLAG, member_role=role), 0, "role %d" % role)
        for u in (a, b):
            e = tip(u, group, kind)
            equal((e["group_tips_elem_op_user"], e["group_tips_elem_user_array"]), (a.name, [b.name]), "the tip")
        equal(members(b, group, [b.name])[b.name]["group_member_info_member_role"], role, "the role in the list")
        equal(joined(b)[group]["group_base_info_self_info"]["group_self_info_role"], role, "the own role")
    equal(modify(a, group, b.name, ROLE_FLAG, member_role=OWNER), 10004, "another owner")
    equal(modify(a, create(a, WORK, [b]), b.name, ROLE_FLAG, member_role=ADMIN), 10004, "an admin of a work group")
    equal(modify(a, group, b.name, 0), 6017, "no flag")


def test_receive_option(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    equal(modify(b, group, b.name, OPTION_FLAG, msg_flag=NOT_NOTIFY), 0, "the own option")
    equal(joined(b)[group]["group_base_info_msg_flag"], NOT_NOTIFY, "the option in the list")
    equal(members(b, group)[b.name]["group_member_info_msg_flag"], NOT_NOTIFY, "the option among the members")
    equal(members(a, group)[b.name]["group_member_info_msg_flag"], RECEIVE, "the option as others see it")
    equal(modify(a, group, b.name, OPTION_FLAG, msg_flag=NOT_NOTIFY), 10004, "somebody else's option")


def test_information(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, introduction="about \u7ec4", notification="news", face_url="http://x/y", group_name="\u7ec4")
    for u in (a, b):
        known, unknown = info(u, group, t.name("none"))
        equal((known["get_groups_info_result_code"], unknown["get_groups_info_result_code"]), (0, 10010), "the codes")
        g = known["get_groups_info_result_info"]
        for key, want in (("group_id", group), ("group_name", "\u7ec4"), ("introduction", "about \u7ec4"), ("notification", "news" if u is a else ""),
                          ("face_url", "http://x/y"), ("owner_identifier", a.name), ("member_num", 1), ("max_member_num", 2000),
                          ("group_type", PUBLIC), ("add_option", AUTH), ("approve_option", FORBID), ("next_msg_seq", 1 if u is a else 0)):
            equal(g["group_detail_info_" + key], want, key)
        equal(g["group_detial_info_group_id"], group, "an older spelling")
    equal(members(b, group), 10007, "members to somebody outside")
    equal(a.call("TIMGroupGetGroupInfoList", []).rc, -3, "no ids")
    equal(a.call("TIMGroupGetGroupInfoList", {}).rc, -3, "an object")
    equal(a.call("TIMGroupGetMemberInfoList", {"group_get_members_info_list_param_next_seq": 0}).rc, -3, "no group")


def test_members(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, PUBLIC, [b, c])
    equal(sorted(members(a, group)), sorted([a.name, b.name, c.name]), "all members")
    equal(list(members(a, group, roles=1)), [a.name], "the owner")
    equal(sorted(members(a, group, roles=4)), sorted([b.name, c.name]), "ordinary members")
    equal(list(members(b, group, [c.name, t.name("nobody")])), [c.name], "by name")


def test_list_without_login(t):
    """The list of the groups is there before a login has finished, as it was the last time."""
    server = t.own_server()
    a = t.user("alice")
    equal(joined(a), {}, "groups at first")
    group = create(a, WORK)
    equal(list(joined(a)), [group], "the groups")
    server.stop()
    a.network(timbre.DISCONNECTED)
    a.packet_timeout(1)
    equal(list(joined(a)), [group], "the groups without a network")


def test_group_while_away(t):
    """A group that somebody is invited to, and what is said in it, is there when he comes back."""
    a, b = t.users("alice", "bob")
    b.logout()
    group = create(a, WORK, [b])
    say(a, group, "are you there?")
    b.login()
    equal(list(joined(b)), [group], "the groups")
    check(b.conversation(group), "no conversation with the group")
    equal(group_texts(b, group), ["are you there?", 1], "the history")
    say(a, group, "and now?")
    b.incoming("and now?")


def test_coming_back(t):
    """Who comes back begins anew: nothing is unread, and what is said from now on is."""
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, add_option=ANY)
    b.ok("TIMGroupJoin", group, "")
    for text in ("one", "two"):
        equal(say(b, group, text).code, 0, "a message of bob")
        a.incoming(text)
    say(a, group, "three")
    b.incoming("three")
    equal((a.unread(group), b.unread(group)), (2, 1), "unread before")
    b.ok("TIMGroupQuit", group)
    say(a, group, "while he is away")
    mark = b.mark()
    b.ok("TIMGroupJoin", group, "")
    tip(b, group, 1, mark)
    equal(b.unread(group), 0, "unread after coming back")
    say(a, group, "four")
    b.incoming("four")
    equal(b.unread(group), 1, "unread after another message")
    say(b, group, "five")
    a.incoming("five")
    equal((a.unread(group), b.unread(group)), (3, 1), "unread at the end")


def test_pinned_tip(t):
    a, b = t.users("alice", "bob")
    group = create(a, WORK, [b])
    m = say(a, group, "look").json
    seen = b.incoming("look")
    for on, kind in ((True, 10), (False, 11)):
        b.ok("TIMPinGroupMessage", group, seen, on)
        for u in (a, b):
            e = tip(u, group, kind)
            pinned = e["group_tips_elem_pinned_message_list"][0]
            equal((e["group_tips_elem_op_user"], pinned["message_msg_id"], pinned["message_seq"], pinned["message_sender"],
                   pinned["message_elem_array"]),
                  (b.name, m["message_msg_id"], m["message_seq"], a.name, [text_elem("look")]), "the tip")
