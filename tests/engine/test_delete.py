"""Deleting: one message, many, a history; here alone or at the server too; and what the other devices keep."""
from talks import shown, talks, told_nothing
from timbre import C2C, DEL, GROUP, equal, text_elem

DELETED = 4
SYNC = ["--sync-deletions"]


def delete(side, message=None, cloud=None, key="is_ramble"):
    param = {}
    if message is not None:
        param["msg_delete_param_msg"] = message
    if cloud is not None:
        param["msg_delete_param_" + key] = cloud
    return side.ask("TIMMsgDelete", param)


@talks(restarts=True)
def test_here_alone(t, talk):
    """false: this device forgets the message, nobody else does, and the server does not bring it back."""
    m = talk.fill(3)[2]
    at = talk.marks()
    r = delete(talk.a, m, False)
    equal((r.code, r.text), (0, ""), "the result")
    talk.a.updated(lambda c: shown(c) == "m1", at[talk.a])
    talk.middle()
    for cloud in (False, True):
        equal(talk.a.texts(cloud=cloud), ["m1", "m0"], "the history, cloud %s" % cloud)
    equal(talk.a.status(m), DELETED, "found by its id")
    equal(talk.a.last(), "m1", "last message")
    for side in talk.all[1:] + [talk.fresh(talk.a)]:
        equal(side.texts(), ["m2", "m1", "m0"], "the history of another device")
        equal(side.last(), "m2", "its last message")


@talks(restarts=True)
def test_at_the_server_too(t, talk):
    """true: a new device of this user does not get it either; the old one keeps its copy, and so does the peer."""
    m = talk.fill(3)[2]
    talk.middle()
    got = talk.b.found(m)
    at = talk.marks()
    r = delete(talk.b, got, True)
    equal((r.code, r.text), (0, ""), "the result")
    talk.b.updated(lambda c: shown(c) == "m1", at[talk.b])
    talk.middle()
    for side in (talk.b, talk.fresh(talk.b)):
        equal(side.texts(), ["m1", "m0"], "the history")
        equal(side.last(), "m1", "last message")
    for side in (talk.a, talk.a2, talk.b2, talk.fresh(talk.a)):
        equal(side.texts(), ["m2", "m1", "m0"], "the history of another")
        equal(side.last(), "m2", "last message of another")


@talks(restarts=True, options=SYNC)
def test_other_devices_delete_too(t, talk):
    """With deletions in step the user's other device loses it, with the event; the peer keeps it."""
    sent = talk.fill(4)
    at = talk.marks()
    equal(delete(talk.a, sent[3], True).code, 0, "delete")
    for side in (talk.a, talk.a2):
        side.updated(lambda c: shown(c) == "m2", at[side])
    equal(talk.a.ask("TIMMsgListDelete", sent[1:3]).code, 0, "delete two")
    for side in (talk.a, talk.a2):
        side.updated(lambda c: shown(c) == "m0", at[side])
    talk.middle()
    for side in (talk.a, talk.a2, talk.fresh(talk.a)):
        equal(side.texts(), ["m0"], "the history")
    for side in (talk.b, talk.b2):
        equal(side.texts(), ["m3", "m2", "m1", "m0"], "the peer's history")
    told_nothing(talk, [talk.b, talk.b2], "TIMSetMsgRevokeCallback", at)


@talks(options=SYNC)
def test_here_alone_with_deletions_in_step(t, talk):
    m = talk.fill(2)[1]
    equal(delete(talk.a, m, False).code, 0, "delete here")
    equal(talk.a.texts(), ["m0"], "the history")
    equal(talk.fresh(talk.a).texts(), ["m1", "m0"], "the history of a fresh device")
    talk.a.text("m2")
    talk.a2.client.incoming("m2")
    equal(talk.a2.texts(), ["m2", "m1", "m0"], "the history of the other device")


@talks()
def test_what_is_refused(t, talk):
    m = talk.fill(1)[0]
    equal(talk.a.call("TIMMsgDelete", {"msg_delete_param_msg": {}, "msg_delete_param_is_ramble": False}).rc, -3, "an empty message")
    equal(talk.a.call("TIMMsgDelete", {}).rc, -3, "an empty parameter")
    equal(talk.a.call("TIMMsgDelete", {"msg_delete_param_msg": "x"}).rc, -3, "a message that is none")
    equal(delete(talk.a, cloud=True).code, 6017, "everything at the server")
    equal(delete(talk.a, dict(m, message_msg_id="1-2-3", message_seq=0), True).code, 6017, "an unknown message")
    equal(talk.a.ask("TIMMsgListDelete", [m] * 51).code, 6017, "51 messages")
    equal(talk.a.texts(), ["m0"], "the history")


@talks()
def test_everything_here(t, talk):
    """Without a message and with false: what this device holds of the conversation, which stays in the list."""
    talk.fill(3)
    for key in ("is_ramble", "is_remble"):  # the header's spelling and an older one
        at = talk.marks()
        equal(delete(talk.b, cloud=False, key=key).code, 0, "delete everything here")
        talk.b.updated(lambda c: shown(c) is None, at[talk.b])
        equal((talk.b.texts(), talk.b.texts(cloud=False)), ([], []), "the history")
        equal(talk.b.info()["conv_is_has_lastmsg"], False, "has a last message")
        talk.a.text("next")
        talk.b.client.incoming("next", at[talk.b])
        equal(talk.b.texts(), ["next"], "the history with a new message")
        equal(talk.b.last(), "next", "last message")
    equal(talk.b2.texts(), ["next", "next", "m2", "m1", "m0"], "the history of the other device")
    equal(talk.fresh(talk.b).texts(), ["next", "next", "m2", "m1", "m0"], "the history of a fresh device")


@talks(restarts=True)
def test_many(t, talk):
    sent = talk.fill(52)
    at = talk.marks()
    talk.middle()
    r = talk.a.ask("TIMMsgListDelete", sent[2:])
    equal((r.code, r.text), (0, ""), "50 messages")
    talk.a.updated(lambda c: shown(c) == "m1", at[talk.a])
    for side in (talk.a, talk.fresh(talk.a)):
        equal(side.texts(), ["m1", "m0"], "the history")
    for side in (talk.a2, talk.b):
        equal(len(side.texts(100)), 52, "messages of another device")


@talks()
def test_over_the_hole(t, talk):
    """Deleted at the server in the middle of what a fresh device does not hold: its pages are whole without them."""
    sent = talk.fill(60)
    equal(talk.a.ask("TIMMsgListDelete", sent[20:40]).code, 0, "delete 20")
    fresh = talk.fresh(talk.a)
    want = ["m%d" % i for i in list(range(59, 39, -1)) + list(range(19, -1, -1))]
    got, last = [], None
    while True:
        page = fresh.client.history(fresh.peer, 15, last, kind=talk.kind)
        if not page:
            break
        got, last = got + page, page[-1]
    equal([m["message_elem_array"][0].get("text_elem_content") for m in got][:len(want)], want, "every message once")
    equal(len(got), len(want) + talk.tips, "messages")


@talks()
def test_unread(t, talk):
    """Deleting is not reading: the count stays, the same on every device, until the conversation is read."""
    m = talk.fill(2)[1]
    equal(talk.b.unread(), 2, "unread")
    equal(delete(talk.b, talk.b.found(m), True).code, 0, "delete")
    equal((talk.b.unread(), talk.fresh(talk.b).unread()), (2, 2), "unread after the deletion, here and on a fresh device")
    talk.b.ok("TIMMsgReportReaded", None)
    equal((talk.b.unread(), talk.fresh(talk.b).unread()), (0, 0), "unread after reading")


@talks(restarts=True)
def test_clear(t, talk):
    """The history goes, here and at the server; the conversation keeps its place, and the others keep theirs."""
    talk.fill(3)
    other = talk.t.user("carol")
    other.text(talk.b.name, "newer")
    talk.b.client.incoming("newer")
    order = [c["conv_id"] for c in talk.b.client.conversations()]
    at = talk.marks()
    r = talk.b.ask("TIMMsgClearHistoryMessage")
    equal((r.code, r.text), (0, ""), "the result")
    talk.b.updated(lambda c: shown(c) is None and c["conv_unread_num"] == 0, at[talk.b])
    talk.middle()
    equal([c["conv_id"] for c in talk.b.client.conversations()], order, "the list")
    for cloud in (False, True):
        equal(talk.b.client.history(talk.b.peer, cloud=cloud, kind=talk.kind), [], "the history, cloud %s" % cloud)
    info = talk.b.info()
    equal((info["conv_is_has_lastmsg"], info["conv_unread_num"]), (False, 0), "the conversation")
    talk.b2.updated(lambda c: c["conv_unread_num"] == 0, at[talk.b2])
    for side in (talk.a, talk.a2, talk.b2):
        equal(side.texts(cloud=side is not talk.b2), ["m2", "m1", "m0"], "the history of another device")
    equal(talk.fresh(talk.b).texts(), [], "the history of a fresh device")
    equal(talk.a.history()[0]["message_is_peer_read"], False, "read by the peer: deleting is not reading")
    talk.a.text("m3")
    fresh = talk.fresh(talk.b)
    for side in (talk.b, fresh):
        side.client.incoming("m3")
        equal((side.texts(), side.last(), side.unread()), (["m3"], "m3", 1), "with a new message")


@talks(restarts=True, options=SYNC)
def test_clear_in_step(t, talk):
    talk.fill(3)
    at = talk.marks()
    talk.b.ok("TIMMsgClearHistoryMessage")
    for side in (talk.b, talk.b2):
        side.updated(lambda c: shown(c) is None and c["conv_unread_num"] == 0, at[side])
    talk.middle()
    for side in (talk.b, talk.b2):
        equal((side.texts(), side.last()), ([], None), "the history and the last message")
    equal(talk.a.texts(), ["m2", "m1", "m0"], "the peer's history")


@talks(restarts=True, options=SYNC)
def test_conversation_in_step(t, talk):
    """With deletions in step a deleted conversation goes on the other device too, and comes back with a new message."""
    talk.fill(2)
    at = talk.marks()
    talk.b.ok("TIMConvDelete")
    for side in (talk.b, talk.b2):
        side.client.conv_event(DEL, side.peer, after=at[side])
    talk.middle()
    for side in (talk.b, talk.b2):
        equal((side.info(), side.texts()), (None, []), "the conversation and its history")
    talk.a.text("again")
    for side in (talk.b, talk.b2):
        side.client.incoming("again")
        equal((side.texts(), side.unread()), (["again"], 1), "with a new message")
    equal(talk.a.texts(), ["again", "m1", "m0"], "the peer's history")


@talks()
def test_local_messages(t, talk):
    """What never was at the server is deleted in every way."""
    for cloud in (False, True):
        saved = talk.a.ok("TIMMsgSaveMsg", {"message_elem_array": [text_elem("local")]}).json
        equal(talk.a.last(), "local", "last message")
        equal(delete(talk.a, saved, cloud).code, 0, "delete, cloud %s" % cloud)
        equal(talk.a.texts(), [], "the history")


@talks()
def test_deleted_stays_deleted(t, talk):
    """A message deleted here that is edited or revoked afterwards does not come back, and nobody is told of it here."""
    one, two = talk.fill(2)
    for m in (one, two):
        equal(delete(talk.b, talk.b.found(m), False).code, 0, "delete")
    at = talk.marks()
    equal(talk.a.client.ask("TIMMsgModifyMessage", dict(one, message_elem_array=[text_elem("x")])).code, 0, "edit")
    equal(talk.a.ask("TIMMsgRevoke", two).code, 0, "revoke")
    for setter in ("TIMSetMsgRevokeCallback", "TIMSetMsgUpdateCallback"):
        told_nothing(talk, [talk.b], setter, at)
    equal([x for x in talk.b.texts() if x != "last of all"], [], "the history")
    equal([talk.b.status(m) for m in (one, two)], [DELETED] * 2, "found by their ids")


@talks()
def test_deleted_and_then_changed_here(t, talk):
    """What this device deleted for itself can still be changed from here, for the others, and does not come back here."""
    one, two = talk.fill(2)
    for m in (one, two):
        equal(delete(talk.a, m, False).code, 0, "delete")
    at = talk.marks()
    equal(talk.a.client.ask("TIMMsgModifyMessage", dict(one, message_elem_array=[text_elem("x")])).code, 0, "edit")
    equal(talk.a.ask("TIMMsgRevoke", two).code, 0, "revoke")
    talk.b.told("TIMSetMsgRevokeCallback", two, at[talk.b])
    equal(talk.b.texts(), [None, "x"], "the peer's history")
    equal((talk.a.texts(), talk.a.last(), [talk.a.status(m) for m in (one, two)]), ([], None, [DELETED] * 2), "nothing comes back")
    told_nothing(talk, [talk.a], "TIMSetMsgUpdateCallback", at)


@talks()
def test_local_time_span(t, talk):
    """clear_local_history_message: what is here of a time span; another device keeps it."""
    def stamped(*times):
        talk.a.ok("TIMMsgImportMsgList", [{"message_elem_array": [text_elem("at %d" % s)], "message_sender": talk.b.name,
                                           "message_client_time": s, "message_server_time": s} for s in times])

    def clear(conv, begin=0, end=0):
        return talk.a.client.experiment("clear_local_history_message", **{
            "request_clear_local_history_message_%s_param" % k: v for k, v in (
                ("conversation_id", conv), ("begin_timestamp", begin), ("end_timestamp", end))}).code
    own = ("group_" if talk.kind == GROUP else "c2c_") + talk.a.peer
    stamped(1000, 1010, 1020)
    talk.fill(1)
    equal(clear(own, 1010, 1015), 0, "a span")
    equal(talk.a.texts(cloud=False), ["m0", "at 1020", "at 1000"], "the history after a span")
    equal(clear("group" if talk.kind == C2C else "c2c"), 0, "the other type")
    equal(clear("c2c_" + t.name("nobody")), 0, "an unknown conversation")
    equal(talk.a.texts(), ["m0", "at 1020", "at 1000"], "the history still")
    equal(clear(own, 1000, 1020), 0, "both ends belong to it")
    equal(talk.a.texts(), ["m0"], "the history with the ends gone")
    at = talk.marks()
    equal(clear(""), 0, "everything")
    talk.a.updated(lambda c: shown(c) is None, at[talk.a])
    equal(talk.a.texts(), [], "nothing is left")
    equal(clear("nonsense"), 6017, "a wrong id")
    equal((talk.a2.texts(), talk.fresh(talk.a).texts()), (["m0"], ["m0"]), "other devices")
