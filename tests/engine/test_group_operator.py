"""What the server's operator does in groups, and how their members hear of it."""
from groups import ANY, AVCHATROOM, MEMBER, OWNER, PUBLIC, WORK, create, info, joined, members, operate, report, reports, say, tip
from timbre import DEADLINE, check, equal

BE_KICKED, RECYCLE, NOTICE = 4, 11, 16
OPERATOR = "administrator"


def test_a_notice_is_for_those_who_are_connected(t):
    t.own_server()
    a, b, c, d = t.users("alice", "bob", "carol", "dave")
    group = create(a, PUBLIC, [b, c])
    tip(c, group, 1)
    c.logout()
    equal(operate(t.server, "notify", "all", group=group), 200, "to all")
    for u in (a, b):
        e = report(u, group, NOTICE)
        equal((e["group_report_elem_op_user"], e["group_report_elem_user_data"]), (OPERATOR, "all"), "the report at " + u.name)
    equal(operate(t.server, "notify", "some", group=group, user=[b.name, d.name, "nobody"]), 200, "to some")
    b.until(lambda: len([r for r in reports(b, group) if r[0] == NOTICE]) == 2, DEADLINE, "the second notice")
    for u in (c, d):
        equal([r for r in reports(u, group) if r[0] == NOTICE], [], "what %s hears" % u.name)
    equal(operate(t.server, "notify", "x", group="none"), 404, "a group that is not there")


def test_only_the_operator(t):
    t.own_server()
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    for what in ("notify", "remove", "dismiss", "topic", "broadcast"):
        equal(operate(t.server, what, "x", signer=a.name, group=group), 401, what)
    check(group in joined(b), "the group has gone")


def test_a_notice_in_a_live_room(t):
    t.own_server()
    a, b = t.users("alice", "bob")
    room = create(a, AVCHATROOM)
    b.ok("TIMGroupJoin", room, "")
    equal(operate(t.server, "notify", "live", group=room), 200, "to all")
    for u in (a, b):
        equal(report(u, room, NOTICE)["group_report_elem_user_data"], "live", "what %s hears" % u.name)


def test_a_work_group_ends(t):
    """No user can dismiss it."""
    t.own_server()
    a, b = t.users("alice", "bob")
    group = create(a, WORK, [b])
    tip(b, group, 1)
    b.logout()
    equal(operate(t.server, "dismiss", group=group), 200, "dismissing")
    mark = b.mark()
    b.login()
    for u, after in ((a, 0), (b, mark)):
        equal(report(u, group, RECYCLE, after)["group_report_elem_op_user"], OPERATOR, "who did it, at " + u.name)
        check(group not in joined(u), "the group is still in the list of " + u.name)
    equal(info(a, group)[0]["get_groups_info_result_code"], 10010, "the group")
    equal(operate(t.server, "dismiss", group=group), 404, "again")


def test_the_owner_is_removed(t):
    """Where groups have successors, the oldest member is the owner then; else there is none."""
    for options, roles in (([], {MEMBER}), (["--group-owner-may-quit"], {OWNER, MEMBER})):
        server = t.own_server(options=options)
        a, b, c = t.users("alice", "bob", "carol")
        group = create(a, PUBLIC, [b, c], add_option=ANY)
        tip(c, group, 1)
        equal(operate(server, "remove", "spam", group=group, user=a.name), 200, "removing")
        e = report(a, group, BE_KICKED)
        equal((e["group_report_elem_op_user"], e["group_report_elem_msg"]), (OPERATOR, "spam"), "the report")
        equal(tip(c, group, 3)["group_tips_elem_user_array"], [a.name], "the tip")
        equal(set(m["group_member_info_member_role"] for m in members(b, group).values()), roles, "the roles")
        equal(say(a, group, "x").code, 10007, "speaking afterwards")
        equal(operate(server, "remove", group=group, user=a.name), 404, "again")
