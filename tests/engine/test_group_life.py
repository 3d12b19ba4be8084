"""Who is in a group: dismissal, removal, handing over, bans, and what everybody is told of it."""
import timbre
from groups import (ADMIN, ANY, COMMUNITY, MEETING, MEMBER, OWNER, PUBLIC, ROLE_FLAG, WORK, change, create, detail, info, invite, joined, kick,
                    members, modify, report, reports, say, tip)
from timbre import check, equal

OWNER_FLAG = 1 << 31
BE_KICKED, DELETE, CREATE, INVITE, QUIT, GRANT_ADMIN, CANCEL_ADMIN = 4, 5, 6, 7, 8, 9, 10


def test_dismiss(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    tip(b, group, 1)
    equal(b.ask("TIMGroupDelete", group).code, 10007, "a member dismisses")
    equal(say(a, group, "soon").code, 0, "a message")
    b.incoming("soon")
    a.ok("TIMGroupDelete", group)
    for u in (a, b):
        equal(report(u, group, DELETE)["group_report_elem_op_user"], a.name, "who dismissed it, at " + u.name)
        check(group not in joined(u), "the group is still in the list of " + u.name)
        equal(info(u, group)[0]["get_groups_info_result_code"], 10010, "the group at " + u.name)
        check(u.conversation(group), "the conversation is gone at " + u.name)
    check("soon" in b.texts(group, kind=timbre.GROUP, cloud=False), "the history is gone")
    check(say(b, group, "late").code != 0, "a message to a group that is gone")
    equal(a.ask("TIMGroupDelete", group).code, 10010, "dismissing twice")
    equal(a.ask("TIMGroupDelete", create(a, WORK)).code, 10007, "dismissing a work group")


def test_dismissed_while_away(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    tip(b, group, 1)
    b.logout()
    a.ok("TIMGroupDelete", group)
    mark = b.mark()
    b.login()
    report(b, group, DELETE, mark)
    check(group not in joined(b), "the group is still in the list")
    b.again()
    equal(reports(b, group, mark), [(DELETE, a.name, "")], "the report came once")


def test_kick(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, PUBLIC, [b, c], add_option=ANY)
    tip(c, group, 1)
    equal(kick(b, group, c.name)[0], 10007, "a member removes")
    nobody = t.name("nobody")
    equal(kick(a, group, b.name, nobody, reason="noise"), (0, [(b.name, 1), (nobody, 2)]), "the results")
    for u in (a, c):
        e = tip(u, group, 3)
        equal((e["group_tips_elem_op_user"], e["group_tips_elem_user_array"], e["group_tips_elem_member_num"]), (a.name, [b.name], 2), "the tip")
    e = report(b, group, BE_KICKED)
    equal((e["group_report_elem_op_user"], e["group_report_elem_msg"]), (a.name, "noise"), "the report")
    check(group not in joined(b), "the group is still in the list")
    equal(say(b, group, "x").code, 10007, "speaking afterwards")
    check(b.conversation(group), "the conversation is gone")
    b.ok("TIMGroupJoin", group, "")
    equal(kick(a, group, b.name, seconds=600), (0, [(b.name, 1)]), "removing for a time")
    equal(b.ask("TIMGroupJoin", group, "").code, 10007, "coming back too early")
    equal(a.call("TIMGroupDeleteMember", {"group_delete_member_param_group_id": group}).rc, -3, "no users")
    equal(kick(a, group)[0], 6017, "an empty list")


def test_a_ban_and_its_end(t):
    """Who is removed for a time stays out until it is over, or taken back. Communities report it as what it is."""
    a, b, c = t.users("alice", "bob", "carol")
    for kind, reported in ((PUBLIC, [4]), (COMMUNITY, [22, 23])):
        group = create(a, kind, [b], add_option=ANY)
        tip(b, group, 1)
        equal(kick(a, group, b.name, reason="noise", seconds=3600), (0, [(b.name, 1)]), "the removal")
        equal(report(b, group, reported[0])["group_report_elem_msg"], "noise", "the report")
        equal(b.ask("TIMGroupJoin", group, "").code, 10007, "he comes back")
        equal(kick(b, group, b.name)[0], 10007, "he lets himself in")
        equal(kick(a, group, b.name, c.name), (0, [(b.name, 1), (c.name, 2)]), "the end of it")
        equal(kick(a, group, b.name), (0, [(b.name, 2)]), "who is not kept out")
        equal(b.ask("TIMGroupJoin", group, "").code, 0, "he comes back then")
        tip(b, group, 1, match=lambda e: e["group_tips_elem_join_type"] == 1)
        report(b, group, reported[-1])  # it comes from another log than the tip
        equal([r[0] for r in reports(b, group) if r[0] != 7], reported, "reports")


def test_transfer(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    tip(b, group, 1)
    equal(change(b, group, OWNER_FLAG, owner=b.name), 10007, "a member takes the group")
    equal(change(a, group, OWNER_FLAG | 1, owner=b.name, group_name="x"), 6017, "the owner's flag with another")
    equal(change(a, group, OWNER_FLAG), 6017, "no new owner")
    check(change(a, group, OWNER_FLAG, owner=t.name("nobody")) != 0, "a stranger is the owner")
    equal(change(a, group, OWNER_FLAG, owner=b.name), 0, "handing over")
    for u in (a, b):
        e = tip(u, group, 6)
        equal([(c["group_tips_group_change_info_flag"], c["group_tips_group_change_info_value"]) for c in
               e["group_tips_elem_group_change_info_array"]], [(5, b.name)], "the tip")
        equal(detail(u, group)["owner_identifier"], b.name, "the owner at " + u.name)
    equal([joined(u)[group]["group_base_info_self_info"]["group_self_info_role"] for u in (a, b)], [MEMBER, OWNER], "the roles")
    a.ok("TIMGroupQuit", group)
    equal(b.ask("TIMGroupQuit", group).code, 10009, "the new owner quits")
    check(change(b, group, -OWNER_FLAG, owner=a.name) in (10004, 10007), "who has left is the owner")


def test_reports_of_life(t):
    """What a single user is told, on each of his devices and once."""
    t.own_server(devices="all")
    a, b, b2 = t.user("alice"), t.user("bob"), t.user("bob")
    group = create(a, PUBLIC, [b], add_option=ANY)
    report(a, group, CREATE)
    for u in (b, b2):
        equal(report(u, group, INVITE)["group_report_elem_op_user"], a.name, "who invited")
    for role, kind in ((ADMIN, GRANT_ADMIN), (MEMBER, CANCEL_ADMIN)):
        equal(modify(a, group, b.name, ROLE_FLAG, member_role=role), 0, "a role")
        for u in (b, b2):
            e = report(u, group, kind)
            equal((e["group_report_elem_op_user"], e["group_report_elem_op_user_info"]["user_profile_identifier"],
                   e["group_report_elem_op_group_memberinfo"]["group_member_info_member_role"]), (a.name, a.name, OWNER), "who did it")
    b.ok("TIMGroupQuit", group)
    for u in (b, b2):
        report(u, group, QUIT)
        check(u.conversation(group), "the conversation is gone")
        check("@TIM#SYSTEM" not in [c["conv_id"] for c in u.conversations()] and "" not in [c["conv_id"] for c in u.conversations()],
              "reports made a conversation")
    for u in (b, b2):
        equal([k for k, _, _ in reports(u, group)], [INVITE, GRANT_ADMIN, CANCEL_ADMIN, QUIT], "all reports, in order")


def test_read_elsewhere(t):
    """Reading a group on one device is reported on the others."""
    t.own_server(devices="all")
    a, b, b2 = t.user("alice"), t.user("bob"), t.user("bob")
    group = create(a, WORK, [b])
    say(a, group, "news")
    for u in (b, b2):
        u.incoming("news")
    at = b.mark()
    b.ok("TIMConvCleanConversationUnreadMessageCount", "group_" + group, 0, 0)
    equal(report(b2, group, 15)["group_report_elem_op_user"], b.name, "who read")
    equal([k for k, _, _ in reports(b, group, at)], [], "reports where it was read")


def test_meeting_tells_nothing_of_members(t):
    a, b = t.users("alice", "bob")
    group = create(a, MEETING)
    b.ok("TIMGroupJoin", group, "")
    equal(kick(a, group, b.name), (0, [(b.name, 1)]), "removing")
    report(b, group, BE_KICKED)
    equal(change(a, group, 1, group_name="new"), 0, "a name")
    tip(a, group, 6)
    equal([e.json()["group_tips_elem_tip_type"] for e in a.events("TIMSetGroupTipsEventCallback")], [6], "tips")


def test_invited_again(t):
    a, b = t.users("alice", "bob")
    group = create(a, WORK, [b])
    tip(b, group, 1)
    b.ok("TIMGroupQuit", group)
    mark = b.mark()
    equal(invite(a, group, b.name), (0, [(b.name, 1)]), "inviting again")
    report(b, group, INVITE, mark)
    equal(list(members(b, group, [b.name])), [b.name], "a member again")


def test_the_same_id_again(t):
    """A group that is made anew under the id of one that was dismissed: what was said in the first is not in the second's way."""
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b], group_id=t.name("phoenix"))
    for text in ("one", "two", "three"):
        equal(say(a, group, text).code, 0, text)
        b.incoming(text)
    a.ok("TIMGroupDelete", group)
    report(b, group, DELETE)
    mark = {u: u.mark() for u in (a, b)}
    param = {"create_group_param_group_name": "reborn", "create_group_param_group_id": group,
             "create_group_param_group_member_array": [{"group_member_info_identifier": b.name}]}
    timbre.poll(lambda: a.ask("TIMGroupCreate", param).code == 0, "the id is not free")  # the end takes its time
    for text in ("four", "five"):
        equal(say(a, group, text).code, 0, text)
        b.incoming(text, mark[b])
    equal(say(b, group, "six").code, 0, "six")
    a.incoming("six", mark[a])
    for u in (a, b):
        equal([x for x in u.texts(group, kind=timbre.GROUP) if x][:3], ["six", "five", "four"], "the history of " + u.name)
        equal(u.conversation(group)["conv_show_name"], "reborn", "the name at " + u.name)
    equal(b.conversation(group)["conv_unread_num"], 2, "unread")


def test_the_result_comes_first(t):
    """Who does something hears of the result before he hears what everybody is told."""
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    tip(a, group, 1)
    for i in range(20):
        mark = a.mark()
        equal(change(a, group, 1, group_name="name %d" % i), 0, "a name")
        tip(a, group, 6, mark)
        names = [e.name for e in a.events(after=mark)]
        check(names.index("cb of TIMGroupModifyGroupInfo") < names.index("TIMSetGroupTipsEventCallback"), "the tip came first: %r" % names)
