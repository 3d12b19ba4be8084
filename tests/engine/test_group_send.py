"""What only messages to groups have: people they speak to, people they are directed to, a limit a second."""
import json

from communities import community, known, topic
from groups import AVCHATROOM, CARD_FLAG, create, modify
from talks import talks
from test_search import BOTH, items, result
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


def card(message):
    return message["message_sender_group_member_info"]["group_member_info_name_card"]


def set_card(client, group, text):
    equal(modify(client, group, client.name, CARD_FLAG, name_card=text), 0, "the code of a new name card")


@talks(GROUP)
def test_name_card(t, talk):
    """A message shows the name card that its sender had when he sent it, everywhere and whatever becomes of it."""
    boss = 'the "boss" 老板'
    forged = {"message_sender_group_member_info": {"group_member_info_name_card": "forged"}}
    equal(card(talk.a.text("none", **forged)), "", "where there is none")
    equal(card(talk.b.client.incoming("none")), "", "where there is none, at another member")
    talk.b2.client.logout()
    set_card(talk.a.client, talk.group, boss)
    for text, keys in (("said", {}), ("in passing", {"message_is_online_msg": True})):
        m = talk.a.text(text, **forged, **keys)
        for side in (talk.a2, talk.b):
            equal(card(side.client.incoming(text)), boss, "%r at %s" % (text, side.name))
        equal(card(m), boss, "%r in the answer" % text)
    m = talk.a.history(1)[0]
    set_card(talk.a.client, talk.group, "another")
    at = talk.marks()
    equal(card(talk.a.client.ok("TIMMsgModifyMessage", dict(m, message_elem_array=[text_elem("edited")], **forged)).json),
          boss, "the answer to an edit")
    equal(card(talk.b.told("TIMSetMsgUpdateCallback", m, at[talk.b])), boss, "the event of an edit")
    talk.b2.client.login()
    equal(card(talk.b2.client.incoming("edited")), boss, "who was away")
    for side in (*talk.all, talk.fresh(talk.a), talk.fresh(talk.b)):
        equal([(text_of(x), card(x)) for x in side.history()], [("edited", boss), ("none", "")], "the history of " + side.name)
        equal(card(side.info()["conv_last_msg"]), boss, "the last message of " + side.name)
    for where in BOTH:
        (_, _, [found]), = items(result(talk.b.client, where, "edited", peer=talk.group, kind=GROUP))
        equal(card(found), boss, where)


def test_name_card_elsewhere(t):
    """In a topic it is the community's. A live room has no name cards."""
    t.own_server(devices="all")
    a, a2, b = t.users("alice", "alice", "bob")
    group = community(a, b)
    set_card(a, group, "boss")
    news = topic(a, group, "News")
    known(b, news)
    m = a.text(news, "in the topic", kind=GROUP)
    for found in (m, a2.incoming("in the topic"), b.incoming("in the topic"), b.history(news, 1, kind=GROUP)[0]):
        equal(card(found), "boss", "in a topic")
    room = create(a, AVCHATROOM)
    b.ok("TIMGroupJoin", room, "")
    equal(modify(a, room, a.name, CARD_FLAG, name_card="boss"), 10004, "the code of a name card in a live room")
    equal((card(a.text(room, "in the room", kind=GROUP)), card(b.incoming("in the room"))), ("", ""), "in a live room")


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
