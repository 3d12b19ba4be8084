"""What only messages to groups have: people they speak to, people they are directed to, a limit a second."""
import json

from talks import talks
from timbre import GROUP, SENT, check, equal, text_elem, text_of

AT_ALL = ("__kImSDK_MessageAtALL__", "__kImSDK_MesssageAtALL__")  # the vendor's headers have had both
ME, ALL = 1, 2
HIGH, NORMAL, LOW, LOWEST = 0, 1, 2, 3


def mentions(side):
    return [(m["conv_group_at_info_seq"], m["conv_group_at_info_at_type"]) for m in side.info()["conv_group_at_info_array"]]


def told(side, want, after):
    side.updated(lambda c: [m["conv_group_at_info_at_type"] for m in c["conv_group_at_info_array"]] == want, after)


@talks(GROUP, members=["carol"], restarts=True)
def test_mentions(t, talk):
    """Each user whom a message speaks to has it in the conversation, on every device, until he has read it."""
    carol = talk.all[4]
    at = talk.marks()
    m = talk.a.text("bob!", message_group_at_user_array=[talk.b.name])
    for side in (talk.b, talk.b2):
        told(side, [ME], at[side])
        equal(side.client.incoming("bob!")["message_group_at_user_array"], [talk.b.name], "whom it speaks to")
    numbers = [m["message_seq"]]
    for word in AT_ALL:
        numbers.append(talk.a.text("all!", message_group_at_user_array=[word])["message_seq"])
    numbers.append(talk.a.text("both!", message_group_at_user_array=[AT_ALL[0], talk.b.name])["message_seq"])
    for side in (talk.b, talk.b2):
        told(side, [ME, ALL, ALL, ME | ALL], at[side])
    told(carol, [ALL, ALL, ALL], at[carol])
    talk.middle()
    for side in (talk.b, talk.b2, talk.fresh(talk.b)):
        equal(mentions(side), list(zip(numbers, (ME, ALL, ALL, ME | ALL))), "the mentions of bob")
    equal(mentions(talk.a), [], "the mentions of the sender")
    at = talk.marks()
    talk.b.ok("TIMMsgReportReaded", None)
    for side in (talk.b, talk.b2):
        told(side, [], at[side])
    equal(mentions(talk.fresh(talk.b)), [], "on a fresh device after reading")
    equal(len(mentions(carol)), 3, "the mentions of carol")


@talks(GROUP)
def test_mentions_while_away(t, talk):
    talk.b.client.logout()
    m = talk.a.text("bob!", message_group_at_user_array=[talk.b.name])
    for i in range(3):
        talk.a.text("more %d" % i)
    talk.b.client.login()
    equal(mentions(talk.b), [(m["message_seq"], ME)], "the mentions")
    equal(talk.b.unread(), 4, "unread")


@talks(GROUP)
def test_too_many_names(t, talk):
    names = ["user-%d" % i for i in range(31)]
    talk.a.send([text_elem("x")], message_group_at_user_array=names).wait(code=10053)
    check(talk.a.send([text_elem("x")], message_group_at_user_array=names[:30]).wait().code != 10053, "30 names are refused")
    talk.a.send([text_elem("x")], message_group_at_user_array=[talk.b.name], message_target_group_member_array=[talk.b.name]
                ).wait(code=6017)
    talk.a.send([text_elem("x")], message_target_group_member_array=names[:1] * 51).wait(code=6017)


@talks(GROUP, members=["carol"], restarts=True)
def test_directed(t, talk):
    """Only those to whom it is directed get it, and the sender's own devices; it never counts as unread."""
    carol = talk.all[4]
    at = talk.marks()
    m = talk.a.text("for bob", message_target_group_member_array=[talk.b.name])
    for side in talk.all[1:4]:
        got = side.client.incoming("for bob")
        equal((got["message_msg_id"], got["message_target_group_member_array"]), (m["message_msg_id"], [talk.b.name]), "it elsewhere")
    talk.a.text("for all")
    for side in talk.all[1:]:
        side.client.incoming("for all")
    talk.middle()
    equal([text_of(x) for x in carol.client.received(at[carol])], ["for all"], "what carol got")
    for side, want in ((carol, ["for all"]), (talk.fresh(carol), ["for all"]), (talk.a2, ["for all", "for bob"]),
                       (talk.b, ["for all", "for bob"]), (talk.fresh(talk.b), ["for all", "for bob"]),
                       (talk.fresh(talk.a), ["for all", "for bob"])):
        equal(side.texts(), want, "the history of %s" % side.name)
        equal(side.unread(), 0 if side.name == talk.a.name else 1, "unread of %s" % side.name)
        equal(side.last(), "for all", "the last message of %s" % side.name)
    equal(carol.client.ok("TIMMsgFindMessages", [m["message_msg_id"]]).json, [], "found by its id at carol")


@talks(GROUP, members=["carol"])
def test_directed_is_no_last_message_of_others(t, talk):
    carol = talk.all[4]
    talk.a.text("for all")
    for side in talk.all[1:]:
        side.client.incoming("for all")
    talk.a.text("for bob", message_target_group_member_array=[talk.b.name])
    talk.b.client.incoming("for bob")
    talk.a.text("now", message_target_group_member_array=[talk.b.name], message_is_online_msg=True)
    talk.b.client.incoming("now")
    talk.b.text("mark")
    carol.client.incoming("mark")
    equal([text_of(m) for m in carol.client.received() if text_of(m)], ["for all", "mark"], "what carol got")
    equal(carol.texts(), ["mark", "for all"], "the history of carol")
    equal(talk.fresh(carol).last(), "mark", "the last message on a fresh device")


@talks(GROUP)
def test_priority_travels(t, talk):
    for priority in (HIGH, NORMAL, LOW, LOWEST):
        talk.a.text("p%d" % priority, message_priority=priority)
        equal(talk.b.client.incoming("p%d" % priority)["message_priority"], priority, "the priority there")


def test_limit_a_second(t):
    """Beyond the limit the server drops; the sender is told that everything was sent, the others get what was taken."""
    server = t.own_server(devices="all", options=["--group-rate", "10"])
    a, b = t.users("alice", "bob")
    group = a.ok("TIMGroupCreate", {"create_group_param_group_name": "g", "create_group_param_group_type": 1,
                                    "create_group_param_group_member_array": [{"group_member_info_identifier": b.name}]}
                 ).json["create_group_result_groupid"]
    calls = [a.send(group, [text_elem("m%d" % i)], kind=GROUP) for i in range(60)]
    sent = [c.wait(code=0).json for c in calls]
    equal({m["message_status"] for m in sent}, {SENT}, "the statuses")
    stored = {json.loads(c)["id"] for c, in server.database("SELECT content FROM msg")}
    dropped = [m["message_msg_id"] for m in sent if m["message_msg_id"] not in stored]
    check(0 < len(dropped) <= 50, "%d of 60 were dropped" % len(dropped))
    last = [m for m in sent if m["message_msg_id"] not in dropped][-1]
    b.incoming(lambda m: m["message_msg_id"] == last["message_msg_id"])
    got = [m["message_msg_id"] for m in b.received() if text_of(m)]
    equal(got, [m["message_msg_id"] for m in sent if m["message_msg_id"] not in dropped], "what the other one got")
    equal(b.unread(group), len(got), "unread")
    mine = [m["message_msg_id"] for m in a.history(group, 100, kind=GROUP) if text_of(m)]
    equal(sorted(mine), sorted(m["message_msg_id"] for m in sent), "the sender's own history")
    a.again()
    mine = [m["message_msg_id"] for m in a.history(group, 100, kind=GROUP) if text_of(m)]
    equal(len(mine), 60, "the sender's own history after a restart")
