"""Who asks to come in, who decides, and what each of them is told."""
from groups import ADMIN, ANY, AUTH, FORBID, PUBLIC, ROLE_FLAG, create, invite, joined, members, modify, report, tip
from timbre import ADD, check, equal

JOIN, TO_INVITEE, TO_ADMIN = 0, 1, 2
ADD_REQUEST, ADD_ACCEPT, ADD_REFUSE, INVITE_REQ_TO_INVITEE, INVITE_ACCEPT, INVITE_REFUSE, INVITE_REQ_TO_ADMIN = 1, 2, 3, 12, 13, 14, 24


def pendencies(user, start=0, limit=0):
    r = user.ok("TIMGroupGetPendencyList", {"group_pendency_option_start_time": start, "group_pendency_option_max_limited": limit}).json
    return r["group_pendency_result_pendency_array"], r


def decide(user, request, accept, words=""):
    return user.ask("TIMGroupHandlePendency", {"group_handle_pendency_param_is_accept": accept, "group_handle_pendency_param_handle_msg": words,
                                               "group_handle_pendency_param_pendency": request}).code


def of(requests, group):
    return [r for r in requests if r["group_pendency_group_id"] == group]


def test_asking_to_join(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, PUBLIC, [c])
    equal(modify(a, group, c.name, ROLE_FLAG, member_role=ADMIN), 0, "an admin")
    b.ok("TIMGroupJoin", group, "let me in")
    check(group not in joined(b), "in before anybody decided")
    for u in (a, c):
        e = report(u, group, ADD_REQUEST)
        equal((e["group_report_elem_op_user"], e["group_report_elem_msg"]), (b.name, "let me in"), "the report")
    (request,), result = pendencies(a)
    equal((request["group_pendency_group_id"], request["group_pendency_form_identifier"], request["group_pendency_pendency_type"],
           request["group_pendency_apply_invite_msg"], request["group_pendency_handled"], result["group_pendency_result_next_start_time"]),
          (group, b.name, JOIN, "let me in", 0, 0), "the request")
    check(request["group_pendency_add_time"] > 10 ** 12, "the time is not in milliseconds")
    equal(pendencies(b)[0], [], "what the applicant decides")
    equal(decide(b, request, True), 10007, "the applicant decides")
    equal(decide(c, request, True, "welcome"), 0, "the admin accepts")
    e = report(b, group, ADD_ACCEPT)
    equal((e["group_report_elem_op_user"], e["group_report_elem_msg"]), (c.name, "welcome"), "the answer")
    b.conv_event(ADD, group)
    for u in (a, b, c):
        equal(tip(u, group, 1, match=lambda e: b.name in e["group_tips_elem_user_array"])["group_tips_elem_join_type"], 1, "the tip")
    check(group in joined(b), "not in")
    equal(decide(a, request, True), 10024, "deciding twice")
    for u, handled in ((a, 1), (c, 2)):
        (later,), _ = pendencies(u)
        equal((later["group_pendency_handled"], later["group_pendency_handle_result"], later["group_pendency_approval_msg"]),
              (handled, 1, "welcome"), "the request afterwards, at " + u.name)


def test_refused(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC)
    b.ok("TIMGroupJoin", group, None)
    report(a, group, ADD_REQUEST)
    (request,), _ = pendencies(a)
    del request["group_pendency_handle_result"]
    equal(a.ask("TIMGroupHandlePendency", {"group_handle_pendency_param_pendency": request}).code, 0, "refusing by saying nothing")
    equal(report(b, group, ADD_REFUSE)["group_report_elem_op_user"], a.name, "who refused")
    check(group not in joined(b), "in although refused")
    b.ok("TIMGroupJoin", group, "please")
    equal(a.call("TIMGroupHandlePendency", {"group_handle_pendency_param_is_accept": True}).rc, -3, "no request")
    equal(a.ask("TIMGroupJoin", t.name("none"), "").code, 10010, "no group")


def test_invited_with_an_approval(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, PUBLIC, [b], approve_option=AUTH)
    tip(b, group, 1)
    equal(invite(b, group, c.name), (0, [(c.name, 3)]), "a member invites")
    equal(report(a, group, INVITE_REQ_TO_ADMIN)["group_report_elem_op_user"], b.name, "the report")
    (request,) = of(pendencies(a)[0], group)
    equal((request["group_pendency_form_identifier"], request["group_pendency_to_identifier"], request["group_pendency_pendency_type"]),
          (b.name, c.name, TO_ADMIN), "the request")
    equal(decide(a, request, True), 0, "accepting")
    report(b, group, INVITE_ACCEPT)
    c.conv_event(ADD, group)
    equal(list(members(b, group, [c.name])), [c.name], "a member")
    d = t.user("dave")
    equal(invite(a, group, d.name), (0, [(d.name, 1)]), "the owner invites")


def test_invited_and_refused(t):
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, PUBLIC, [b], approve_option=AUTH)
    tip(b, group, 1)
    equal(invite(b, group, c.name), (0, [(c.name, 3)]), "a member invites")
    report(a, group, INVITE_REQ_TO_ADMIN)
    (request,) = of(pendencies(a)[0], group)
    equal(decide(a, request, False, "not now"), 0, "refusing")
    equal(report(b, group, INVITE_REFUSE)["group_report_elem_msg"], "not now", "the answer")
    check(group not in joined(c), "in although refused")
    equal(invite(b, create(a, PUBLIC, [b], approve_option=FORBID), c.name)[0], 10007, "nobody is invited")


def test_pages_and_read_mark(t):
    a, b, c = t.users("alice", "bob", "carol")
    groups = [create(a, PUBLIC) for _ in range(3)]
    for group in groups:
        b.ok("TIMGroupJoin", group, "")
        report(a, group, ADD_REQUEST)
    first, result = pendencies(a, limit=2)
    equal([r["group_pendency_group_id"] for r in first], [groups[2], groups[1]], "the first page")
    equal((result["group_pendency_result_unread_num"], result["group_pendency_result_read_time_seq"]), (3, 0), "unread")
    check(result["group_pendency_result_next_start_time"] > 0, "no second page")
    second, result = pendencies(a, result["group_pendency_result_next_start_time"], 2)
    equal(([r["group_pendency_group_id"] for r in second], result["group_pendency_result_next_start_time"]), ([groups[0]], 0), "the last page")
    a.ok("TIMGroupReportPendencyReaded", first[1]["group_pendency_add_time"])
    equal(pendencies(a)[1]["group_pendency_result_unread_num"], 1, "unread after reading two")
    a.ok("TIMGroupReportPendencyReaded", 0)
    equal(pendencies(a)[1]["group_pendency_result_unread_num"], 0, "unread after reading all")
    mark = a.mark()
    c.ok("TIMGroupJoin", groups[0], "")
    report(a, groups[0], ADD_REQUEST, mark)
    equal(pendencies(a)[1]["group_pendency_result_unread_num"], 1, "unread after another one")
    equal(a.ask("TIMGroupGetPendencyList", []).code, 6017, "an array")


def test_asked_while_the_owner_is_away(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC)
    a.logout()
    b.ok("TIMGroupJoin", group, "hello?")
    a.login()
    equal(report(a, group, ADD_REQUEST)["group_report_elem_msg"], "hello?", "the report")
    (request,), _ = pendencies(a)
    b.logout()
    equal(decide(a, request, True), 0, "accepting")
    mark = b.mark()
    b.login()
    report(b, group, ADD_ACCEPT, mark)
    check(b.conversation(group), "no conversation")
    check(group in joined(b), "not in")


def test_free_joining_needs_nobody(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, add_option=ANY)
    b.ok("TIMGroupJoin", group, "hello")
    tip(a, group, 1)
    equal(pendencies(a)[0], [], "requests")


def test_the_invited_decide(t):
    """Where the server is set so, nobody is brought into a group before he has agreed."""
    t.own_server(options=["--group-consent", "Public"])
    a, b, c = t.users("alice", "bob", "carol")
    group = create(a, PUBLIC, approve_option=ANY)
    equal(invite(a, group, b.name, c.name), (0, [(b.name, 3), (c.name, 3)]), "the results")
    for u, accept, kind in ((b, True, INVITE_ACCEPT), (c, False, INVITE_REFUSE)):
        equal(report(u, group, INVITE_REQ_TO_INVITEE)["group_report_elem_op_user"], a.name, "who invites " + u.name)
        check(group not in joined(u), "%s was not asked" % u.name)
        (request,) = of(pendencies(u)[0], group)
        equal((request["group_pendency_pendency_type"], request["group_pendency_to_identifier"]), (TO_INVITEE, u.name), "the request")
        mark = a.mark()
        equal(decide(u, request, accept, "well"), 0, "deciding")
        e = report(a, group, kind, mark)
        equal((e["group_report_elem_op_user"], e["group_report_elem_msg"]), (u.name, "well"), "the answer")
        equal(group in joined(u), accept, "%s is in the group" % u.name)
