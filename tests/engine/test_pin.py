"""Pinned messages of groups: who may pin, what everybody is told, the list, the limit, and what ends a pin."""
import json

from talks import MEETING, PUBLIC, TIP, WORK, talks, told_nothing
from timbre import GROUP, equal, text_of

PINNED = "TIMSetMsgGroupPinnedMessageChangedCallback"
TIPS = "TIMSetGroupTipsEventCallback"
ADMIN, MEMBER, ROLE_FLAG = 300, 200, 2
TOO_MANY, ALREADY = 10070, 10071


def pin(side, message, on=True):
    return side.client.ask("TIMPinGroupMessage", side.peer, message, on).code


def pinned(side):
    """(text, who pinned it), the newest pin first."""
    return [(text_of(m), m["message_pinner_user_id"]) for m in side.client.ok("TIMGetPinnedGroupMessageList", side.peer).json]


def told(side, message, on, after):
    """Waits for the event and returns the message in it and who did it."""
    def fits(e):
        return e.args[0] == side.peer and e.args[2] == on and json.loads(e.args[1])["message_msg_id"] == message["message_msg_id"]
    e = side.client.event(PINNED, fits, after)
    return e.json(1), e.json(3)


def tip(side, kind, after):
    e = side.client.event(TIPS, lambda e: e.json()["group_tips_elem_tip_type"] == kind, after).json()
    equal(e["group_tips_elem_group_id"], side.peer, "the tip's group")
    return e


def role(talk, side, role):
    talk.a.client.ok("TIMGroupModifyMemberInfo", {
        "group_modify_member_info_group_id": talk.group, "group_modify_member_info_identifier": side.name,
        "group_modify_member_info_modify_flag": ROLE_FLAG, "group_modify_member_info_member_role": role})


@talks(GROUP, types=(WORK, PUBLIC, MEETING), restarts=True)
def test_pin(t, talk):
    """Every device of every member is told by both events, the acting one too; the list is the same for all."""
    one, two = talk.fill(2)
    talk.middle()
    for m, on, kind, want in ((one, True, 10, ["m0"]), (two, True, 10, ["m1", "m0"]), (one, False, 11, ["m1"])):
        at = talk.marks()
        equal(pin(talk.a, m, on), 0, "pin %s" % on)
        for side in talk.all:
            said, who = told(side, m, on, at[side])
            equal((said["message_seq"], said["message_conv_id"], said["message_conv_type"]), (m["message_seq"], talk.group, GROUP), "the message")
            equal(text_of(said) if on else "message_elem_array" in said, text_of(m) if on else False, "its content")
            equal((who["group_member_info_identifier"], who["group_member_info_group_id"]), (talk.a.name, talk.group), "who")
            e = tip(side, kind, at[side])
            equal((e["group_tips_elem_op_user"], [x["message_msg_id"] for x in e["group_tips_elem_pinned_message_list"]]),
                  (talk.a.name, [m["message_msg_id"]]), "the tip")
            equal(pinned(side), [(x, talk.a.name) for x in want], "the list")
        talk.middle()
    fresh = talk.fresh(talk.b)
    equal(pinned(fresh), [("m1", talk.a.name)], "the list on a fresh device")
    equal(talk.b.unread(), 0 if talk.type == MEETING else 2, "tips do not count")
    got = fresh.client.ok("TIMGetPinnedGroupMessageList", talk.group).json[0]
    equal({k for k in got if k.startswith("message_pinner_")},
          {"message_pinner_" + k for k in ("user_id", "nick_name", "face_url", "friend_remark", "name_card")}, "who pinned it")
    last = talk.b.info()["conv_last_msg"]["message_elem_array"][0]
    equal((last["elem_type"], last["group_tips_elem_tip_type"]), (TIP, 11), "the last message")


@talks(GROUP, types=(WORK, PUBLIC, MEETING))
def test_who_may(t, talk):
    """In a work group everybody, elsewhere its owner and admins."""
    m, = talk.fill(1)
    if talk.type == WORK:
        equal((pin(talk.b, m), pinned(talk.a)), (0, [("m0", talk.b.name)]), "a member pins")
        equal(pin(talk.a, m, False), 0, "another unpins")
    else:
        equal((pin(talk.b, m), pin(talk.b, m, False)), (10007, 10007), "a member")
        role(talk, talk.b, ADMIN)
        equal((pin(talk.b, m), pinned(talk.a)), (0, [("m0", talk.b.name)]), "an admin pins")
        role(talk, talk.b, MEMBER)
        equal(pin(talk.b, m, False), 10007, "an admin no more")
    carol = t.user("carol")
    equal(carol.ask("TIMPinGroupMessage", talk.group, m, True).code, 10007, "who is not in the group")
    equal(carol.ask("TIMGetPinnedGroupMessageList", talk.group).code, 10007, "his list")
    equal(carol.ask("TIMGetPinnedGroupMessageList", t.name("none")).code, 10010, "the list of no group")


@talks(GROUP, restarts=True)
def test_limits_and_ends(t, talk):
    sent = talk.fill(12)
    at = talk.marks()
    for m in sent[:10]:
        equal(pin(talk.b, m), 0, "pin")
    equal((pin(talk.a, sent[0]), pin(talk.a, sent[10])), (ALREADY, TOO_MANY), "again, and one too many")
    equal(pin(talk.a, sent[10], False), 6017, "unpinning what is not pinned")
    equal(pin(talk.a, dict(sent[0], message_msg_id="1-2-3", message_seq=999)), 10030, "a number that is not there")
    saved = talk.a.ok("TIMMsgSaveMsg", {"message_elem_array": sent[0]["message_elem_array"]}).json
    equal(pin(talk.a, saved), 6017, "a local message")
    told(talk.a2, sent[9], True, at[talk.a2])
    equal(len(talk.a2.client.events(PINNED, at[talk.a2])), 10, "events")
    tips = [m for m in talk.a.client.history(talk.group, kind=GROUP) if m["message_elem_array"] and m["message_elem_array"][0]["elem_type"] == TIP]
    equal(pin(talk.a, tips[0]), 6017, "a tip")
    talk.middle()
    at = talk.marks()
    equal(talk.a.ask("TIMMsgRevoke", sent[9]).code, 0, "revoke")
    want = ["m%d" % i for i in range(8, -1, -1)]
    for side in talk.all:
        equal([text for text, _ in pinned(side)], want, "the list after revoking")
    equal(pin(talk.a, sent[9]), 6017, "pinning a revoked message")
    equal(talk.b.ask("TIMMsgListDelete", [talk.b.found(sent[8])]).code, 0, "delete")
    equal([text for text, _ in pinned(talk.b)], want[1:], "the list of who deleted it for himself")
    equal([text for text, _ in pinned(talk.a)], want, "the list of the other")
    equal((pin(talk.a, sent[10]), pin(talk.a, sent[11])), (0, TOO_MANY), "the revoked one left room")
    talk.b.ok("TIMMsgClearHistoryMessage")
    equal((pinned(talk.b), len(pinned(talk.a))), ([], 10), "the lists after clearing the history")


@talks(GROUP)
def test_expired(t, talk):
    """What the server keeps no longer is left out, and leaves room."""
    sent = talk.fill(2)
    for m in sent:
        equal(pin(talk.a, m), 0, "pin")

    def age():
        talk.server.database("UPDATE msg SET time=time-8*86400000 WHERE pair<0 AND seq<=?", sent[0]["message_seq"])
    talk.restarted(change=age)
    talk.server.swept(lambda: not talk.server.database("SELECT 1 FROM msg WHERE pair<0 AND seq<=?", sent[0]["message_seq"]))
    for side in talk.all:
        equal(pinned(side), [("m1", talk.a.name)], "the list of " + side.name)
    equal(pin(talk.a, sent[0]), 10030, "pinning it again")


@talks(GROUP, members=["carol"])
def test_directed(t, talk):
    """Only those who may see a directed message hear that it is pinned, and see it in the list; so it is for who was away."""
    carol = talk.all[4]
    m = talk.a.text("for bob", message_target_group_member_array=[talk.b.name])
    for side in talk.all[1:4]:
        side.client.incoming("for bob")
    away = talk.fresh(carol)
    away.client.logout()
    at = talk.marks()
    mark = away.client.mark()
    equal(pin(talk.b, m), 0, "pin")
    for side in talk.all[:4]:
        told(side, m, True, at[side])
        tip(side, 10, at[side])
        equal(pinned(side), [("for bob", talk.b.name)], "the list")
    equal((pinned(carol), pin(carol, m, False)), ([], 10030), "who may not see it")
    away.client.login()
    told_nothing(talk, [carol], PINNED, at)
    equal(away.client.events(PINNED, mark), [], "events for who may not see it and was away")
    equal([text_of(x) for x in carol.history()], ["last of all"], "the history of who may not see it")
    equal(len(carol.client.history(talk.group, kind=GROUP)), 2, "with the tip of the beginning alone")


@talks(GROUP, restarts=True)
def test_while_away(t, talk):
    """Who comes back hears of pins meanwhile in order."""
    one, two = talk.fill(2)
    talk.b2.client.logout()
    at = talk.marks()
    for m, on in ((one, True), (two, True), (one, False)):
        equal(pin(talk.a, m, on), 0, "pin")
    talk.b2.client.login()
    told(talk.b2, one, False, at[talk.b2])
    equal([(json.loads(e.args[1])["message_msg_id"], e.args[2]) for e in talk.b2.client.events(PINNED, at[talk.b2])],
          [(one["message_msg_id"], True), (two["message_msg_id"], True), (one["message_msg_id"], False)], "the events")
    talk.middle()
    equal(pinned(talk.b2), [("m1", talk.a.name)], "the list")
