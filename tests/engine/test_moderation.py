"""What owners, admins and members of groups may do to each other's messages."""
from talks import MEETING, PUBLIC, REVOKE, UPDATED, talks
from timbre import GROUP, equal, text_elem, text_of

REVOKED, CONFLICT = 6, 8006
ADMIN, MEMBER, ROLE_FLAG = 300, 200, 2


def role(talk, side, role):
    at = talk.marks()
    talk.a.client.ok("TIMGroupModifyMemberInfo", {
        "group_modify_member_info_group_id": talk.group, "group_modify_member_info_identifier": side.name,
        "group_modify_member_info_modify_flag": ROLE_FLAG, "group_modify_member_info_member_role": role})
    return at


def revoke(side, message):
    return side.ask("TIMMsgRevoke", message).code


def said(talk, side, text):
    m = side.text(text)
    for other in talk.all:
        if other is not side:
            other.client.incoming(text)
    return m


def edited(message, text):
    return dict(message, message_elem_array=[text_elem(text)])


@talks(GROUP, types=(PUBLIC, MEETING), members=["carol"], restarts=True)
def test_revoke(t, talk):
    """An admin may as long as he is one, the owner always; everybody hears who did it."""
    carol = talk.all[4]
    one, two = said(talk, carol, "one"), said(talk, carol, "two")
    equal(revoke(talk.b, one), 10007, "a member")
    role(talk, talk.b, ADMIN)
    talk.middle()
    at = talk.marks()
    equal(revoke(talk.b, one), 0, "an admin")
    for side in talk.all:
        if side is not talk.b:
            e = side.told(REVOKE, one, at[side])
            equal((e["message_revoker_user_id"], e["message_locator_is_self"]), (talk.b.name, side is carol), "the event")
        equal(side.status(one), REVOKED, "its status")
    role(talk, talk.b, MEMBER)
    equal(revoke(talk.b, two), 10007, "an admin no more")
    at = talk.marks()
    equal(revoke(talk.a, two), 0, "the owner")
    for side in talk.all[1:]:
        equal(side.told(REVOKE, two, at[side])["message_revoker_user_id"], talk.a.name, "the event")
        if talk.type == MEETING:  # elsewhere the tips about the admin came behind it
            side.updated(lambda c: c["conv_last_msg"]["message_status"] == REVOKED, at[side])
    equal((revoke(talk.a, two), revoke(talk.a, dict(two, message_msg_id="1-2-3", message_seq=999))), (10032, 10030), "again, and nothing")
    fresh = talk.fresh(talk.b)
    equal([(m["message_status"], m["message_revoker_user_id"]) for m in fresh.history()],
          [(REVOKED, talk.a.name), (REVOKED, talk.b.name)], "on a fresh device")
    equal(fresh.unread(), talk.b.unread(), "unread on both devices")
    dave = t.user("dave")
    equal(dave.ask("TIMMsgRevoke", talk.group, GROUP, two).code, 10007, "who is not in the group")


@talks(GROUP, types=(PUBLIC,), members=["carol"], options=["--revoke-within", "1ns"])
def test_too_late(t, talk):
    carol = talk.all[4]
    one, two = said(talk, carol, "one"), said(talk, talk.b, "two")
    role(talk, talk.b, ADMIN)
    equal((revoke(carol, one), revoke(talk.b, one), revoke(talk.b, two)), (10031, 0, 0), "a member, and an admin at any time")


@talks(GROUP, types=(PUBLIC, MEETING), members=["carol"], restarts=True)
def test_edit(t, talk):
    """Any member may edit any message; who edits an older version is told the newest."""
    carol = talk.all[4]
    m = said(talk, talk.b, "of bob")
    talk.middle()
    at = talk.marks()
    equal(carol.client.ask("TIMMsgModifyMessage", edited(carol.found(m), "of carol")).code, 0, "an edit by a member")
    for side in talk.all:
        e = side.told(UPDATED, m, at[side])
        equal((text_of(e), e["message_sender"], e["message_version"]), ("of carol", talk.b.name, 1), "the event")
        equal(side.last(), "of carol", "the last message")
    r = talk.a.client.ask("TIMMsgModifyMessage", edited(m, "of alice"))
    equal((r.code, text_of(r.json)), (CONFLICT, "of carol"), "an edit of an older version")
    dave = t.user("dave")
    equal(dave.ask("TIMMsgModifyMessage", edited(m, "of dave")).code, 10007, "who is not in the group")
    equal([text_of(talk.fresh(talk.a).history()[0])], ["of carol"], "on a fresh device")


@talks(GROUP, types=(PUBLIC, MEETING))
def test_for_oneself(t, talk):
    """Deleting and clearing is one's own business: others, and the pages of others, keep everything."""
    talk.fill(4)
    m = talk.b.history()[1]
    equal(talk.b.ask("TIMMsgDelete", {"msg_delete_param_msg": m, "msg_delete_param_is_ramble": True}).code, 0, "delete")
    for side in (talk.b, talk.fresh(talk.b)):
        equal((side.texts(), side.last()), (["m3", "m1", "m0"], "m3"), "what is left")
    equal(talk.a.texts(), ["m3", "m2", "m1", "m0"], "the others' history")
    talk.b.ok("TIMMsgClearHistoryMessage")
    for side in (talk.b, talk.fresh(talk.b)):
        equal(side.texts(), [], "after clearing")
    equal(talk.b.unread(), 0, "unread after clearing")
    equal(talk.a.texts(), ["m3", "m2", "m1", "m0"], "the others' history")
    talk.fill(1, first=4)
    equal((talk.b.texts(), talk.fresh(talk.b).texts(), talk.b.last()), (["m4"], ["m4"], "m4"), "with a new message")
    equal(talk.b.unread(), 0 if talk.type == MEETING else 1, "unread")
