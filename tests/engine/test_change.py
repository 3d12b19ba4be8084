"""Revoking and editing: what comes back, what every device is told, and what it holds afterwards."""
from talks import REVOKE, UPDATED, shown, talks, told_nothing
from timbre import FACE, GROUP, equal, text_elem, text_of

REVOKED, CONFLICT = 6, 8006
LOCATOR = {"message_locator_" + k for k in ("conv_id", "conv_type", "is_revoked", "is_self", "rand", "seq", "time", "unique_id")}
REVOKER = {"message_revoker_user_id", "message_revoker_nick_name", "message_revoker_face_url", "message_revoke_reason"}


def revoke(side, message):
    return side.ask("TIMMsgRevoke", message)


def edited(message, text, **keys):
    return dict(message, message_elem_array=[text_elem(text)], **keys)


def edit(side, message):
    return side.client.ask("TIMMsgModifyMessage", message)


@talks(restarts=True)
def test_revoke(t, talk):
    m = talk.fill(3)[2]
    talk.middle()
    at = talk.marks()
    r = revoke(talk.a, dict(m, message_revoke_reason="a slip"))
    equal((r.code, r.text), (0, ""), "the result")
    for side in (talk.a2, talk.b, talk.b2):
        e = side.told(REVOKE, m, at[side])
        equal(set(e), LOCATOR | REVOKER | {"message_msg_id"}, "keys of the event")
        equal((e["message_locator_conv_id"], e["message_locator_conv_type"], e["message_locator_is_revoked"],
               e["message_locator_is_self"], e["message_locator_seq"], e["message_locator_rand"], e["message_locator_time"],
               e["message_locator_unique_id"]),
              (side.peer, talk.kind, True, side.name == talk.a.name, m["message_seq"], m["message_rand"],
               m["message_server_time"], m["message_unique_id"]), "the locator")
        equal((e["message_revoker_user_id"], e["message_revoke_reason"]), (talk.a.name, "a slip"), "who and why")
    for side in talk.all:
        side.updated(lambda c: c["conv_last_msg"]["message_status"] == REVOKED, at[side])
    talk.middle()
    for side in talk.all + [talk.fresh(talk.b), talk.fresh(talk.a)]:
        equal(side.texts(), [None, "m1", "m0"], "the history of " + side.name)
        gone = side.history()[0]
        equal((gone["message_msg_id"], gone["message_status"], gone["message_elem_array"], gone["message_revoker_user_id"],
               gone["message_revoke_reason"], gone["message_sender"]),
              (m["message_msg_id"], REVOKED, [], talk.a.name, "a slip", talk.a.name), "the revoked message")
        equal(side.info()["conv_last_msg"], gone, "the conversation's last message")
    told_nothing(talk, [talk.a], REVOKE, at)


@talks()
def test_revoke_of_an_older_message(t, talk):
    """The conversation's last message stays; a locator still finds the revoked one."""
    m = talk.fill(2)[0]
    at = talk.marks()
    equal(revoke(talk.a, m).code, 0, "revoke")
    talk.b.told(REVOKE, m, at[talk.b])
    equal(talk.b.last(), "m1", "last message")
    got = talk.b.found(m)
    found = talk.b.ok("TIMMsgFindByMsgLocatorList", [{
        "message_locator_is_revoked": True, "message_locator_time": got["message_server_time"],
        "message_locator_seq": got["message_seq"], "message_locator_is_self": False,
        "message_locator_rand": got["message_rand"], "message_locator_unique_id": got["message_unique_id"]}]).json
    equal([x["message_status"] for x in found], [REVOKED], "found by locator")


@talks()
def test_revoke_refused(t, talk):
    m = talk.fill(1)[0]
    group = talk.kind == GROUP
    at = talk.marks()
    equal(revoke(talk.b, m).code, 10007 if group else 20022, "a message of somebody else")
    equal(revoke(talk.a, dict(m, message_msg_id="1-2-3", message_seq=99)).code, 10030 if group else 20022, "an unknown message")
    equal(revoke(talk.a, m).code, 0, "revoke")
    equal(revoke(talk.a, m).code, 10032 if group else 20023, "revoking it again")
    equal(revoke(talk.a2, m).code, 10032 if group else 20023, "and on the other device")
    talk.b.told(REVOKE, m, at[talk.b])
    told_nothing(talk, [talk.a], REVOKE, at)
    equal(len(talk.b.client.events(REVOKE, at[talk.b])), 1, "events")


@talks(options=["--revoke-within", "1ns"])
def test_revoke_too_late(t, talk):
    m = talk.fill(1)[0]
    mine = talk.b.text("of bob")
    equal(revoke(talk.b, mine).code, 10031 if talk.kind == GROUP else 20016, "too late")
    equal(talk.b.status(mine), 2, "status")
    equal(revoke(talk.a, m).code, 0 if talk.kind == GROUP else 20016, "the group's owner may at any time")


@talks(GROUP)
def test_revoke_by_the_owner(t, talk):
    """The owner takes a member's message back; the member hears who did it."""
    m = talk.b.text("of bob")
    talk.a.client.incoming("of bob")
    at = talk.marks()
    equal(revoke(talk.a, m).code, 0, "revoke")
    for side in (talk.a2, talk.b, talk.b2):
        e = side.told(REVOKE, m, at[side])
        equal((e["message_revoker_user_id"], e["message_locator_is_self"]), (talk.a.name, side.name == talk.b.name), "the event")
    for side in (talk.a, talk.b):
        equal(side.status(m), REVOKED, "status")


@talks()
def test_revoke_while_away(t, talk):
    """One device knew the message, the other never saw it: both hold it as revoked, only the first is told."""
    talk.b2.client.logout()
    m = talk.a.text("soon gone")
    talk.b.client.incoming("soon gone")
    talk.b.client.logout()
    equal(revoke(talk.a, m).code, 0, "revoke")
    at = talk.marks()
    for side in (talk.b, talk.b2):
        side.client.login()
        equal(side.texts(), [None], "the history")
        equal(side.info()["conv_last_msg"]["message_status"], REVOKED, "the last message")
    talk.b.told(REVOKE, m, at[talk.b])
    equal([x for x in talk.b2.client.received(at[talk.b2]) if x["message_msg_id"] == m["message_msg_id"]], [],
          "new messages at the device that never saw it")


@talks()
def test_revoke_of_what_was_not_sent(t, talk):
    """A local message is nothing that the server could take back."""
    saved = talk.a.ok("TIMMsgSaveMsg", {"message_elem_array": [text_elem("local")]}).json
    equal(revoke(talk.a, saved).code, 6017, "revoking a local message")
    equal(talk.a.status(saved), 5, "its status")


@talks()
def test_revoker(t, talk):
    one, two = talk.fill(2)
    at = talk.marks()
    equal(revoke(talk.a, two).code, 0, "revoke")
    talk.b.told(REVOKE, two, at[talk.b])
    for side in (talk.a, talk.b):
        r = side.client.experiment("get_message_revoker",
                                   request_message_revoker_message_id_array=[one["message_msg_id"], two["message_msg_id"]])
        equal((r.code, r.json["response_message_id"], r.json["response_message_revoker"]), (0, two["message_msg_id"], talk.a.name),
              "who revoked it")
        r = side.client.experiment("get_message_revoker", request_message_revoker_message_id_array=[one["message_msg_id"]])
        equal((r.code, r.json.get("response_message_id")), (0, None), "who revoked what stands")


@talks(restarts=True)
def test_edit(t, talk):
    m = talk.fill(2)[1]
    talk.middle()
    at = talk.marks()
    r = edit(talk.a, edited(m, "better", message_cloud_custom_str="note"))
    equal((r.code, text_of(r.json), r.json["message_cloud_custom_str"], r.json["message_version"], r.json["message_msg_id"],
           r.json["message_seq"], r.json["message_server_time"]),
          (0, "better", "note", 1, m["message_msg_id"], m["message_seq"], m["message_server_time"]), "the result")
    for side in talk.all:
        e = side.told(UPDATED, m, at[side])
        equal((text_of(e), e["message_cloud_custom_str"], e["message_is_from_self"], e["message_conv_id"], e["message_status"]),
              ("better", "note", side.name == talk.a.name, side.peer, 2), "the event at " + side.name)
        side.updated(lambda c: shown(c) == "better", at[side])
    talk.middle()
    for side in talk.all + [talk.fresh(talk.a), talk.fresh(talk.b)]:
        equal(side.texts(), ["better", "m0"], "the history of " + side.name)
        equal(side.history()[0]["message_cloud_custom_str"], "note", "the cloud data")
        equal(side.last(), "better", "the last message")
    for side in talk.all:
        equal(len(side.client.events(UPDATED, at[side])), 1, "update events at " + side.name)
        equal(side.client.received(at[side]), [], "new messages")


@talks()
def test_edit_by_the_peer(t, talk):
    """Any participant may edit; the sender stays the sender."""
    m = talk.fill(1)[0]
    at = talk.marks()
    equal(edit(talk.b, edited(talk.b.found(m), "of bob")).code, 0, "editing a received message")
    for side in talk.all:
        e = side.told(UPDATED, m, at[side])
        equal((text_of(e), e["message_sender"]), ("of bob", talk.a.name), "the event")


@talks(restarts=True)
def test_edit_conflict(t, talk):
    """Who edits an older version gets 8006 and the newest message."""
    m = talk.fill(1)[0]
    at = talk.marks()
    equal(edit(talk.a, edited(m, "first")).code, 0, "an edit")
    for side in talk.all:
        side.told(UPDATED, m, at[side])
    talk.middle()
    at = talk.marks()
    for side in (talk.a2, talk.b):
        r = edit(side, edited(m, "second"))
        equal((r.code, text_of(r.json), r.json["message_version"]), (CONFLICT, "first", 1), "an edit of the older version")
    for side in talk.all:
        equal(text_of(side.found(m)), "first", "the message")
    equal(edit(talk.b, edited(talk.b.found(m), "third")).code, 0, "an edit of the newest version")
    for side in talk.all:
        equal(text_of(side.told(UPDATED, m, at[side])), "third", "the event")


@talks()
def test_edit_race(t, talk):
    """Two edits of one version at once: one wins, the other gets 8006 and the winner's text."""
    m = talk.fill(1)[0]
    calls = [(x, s.client.begin("TIMMsgModifyMessage", edited(m, x))) for x, s in (("of alice", talk.a), ("of bob", talk.b))]
    results = {x: c.wait() for x, c in calls}
    won = [x for x, r in results.items() if r.code == 0]
    equal(sorted(r.code for r in results.values()), [0, CONFLICT], "the codes")
    equal([text_of(r.json) for r in results.values()], won * 2, "the messages in the results")
    for side in talk.all:
        side.client.event(UPDATED, lambda e: text_of(e.json()[0]) == won[0])
        equal(text_of(side.found(m)), won[0], "the message at " + side.name)


@talks()
def test_edit_of_what_cannot_change(t, talk):
    face = talk.a.send([{"elem_type": FACE, "face_elem_index": 1}, text_elem("x")]).wait(code=0).json
    e = dict(face, message_elem_array=[{"elem_type": FACE, "face_elem_index": 2}, text_elem("y")])
    equal(edit(talk.a, e).code, 0, "a face and a text")
    now = talk.a.found(face)
    equal(edit(talk.a, edited(now, "less")).code, 6017, "another number of elements")
    equal(edit(talk.a, dict(now, message_elem_array=[text_elem("y"), text_elem("z")])).code, 6017, "another kind of element")
    equal(edit(talk.a, dict(now, message_elem_array=[now["message_elem_array"][0], text_elem("z" * 13000)])).code, 8001, "too long")
    equal([e["elem_type"] for e in talk.a.found(face)["message_elem_array"]], [FACE, 0], "the message")


@talks()
def test_edit_after_revoke(t, talk):
    m = talk.fill(1)[0]
    at = talk.marks()
    equal(revoke(talk.a, m).code, 0, "revoke")
    r = edit(talk.b, edited(m, "late"))
    equal((r.code, r.json["message_status"], r.json["message_elem_array"]), (CONFLICT, REVOKED, []), "editing a revoked message")
    told_nothing(talk, talk.all, UPDATED, at)


@talks()
def test_edit_of_an_older_message_over_a_hole(t, talk):
    """A device that does not hold the message is told nothing, and has the new content when its history comes."""
    m = talk.fill(30)[0]
    fresh = talk.fresh(talk.a)
    equal(fresh.found(m), None, "the message on a fresh device")
    at = talk.marks()
    after = fresh.client.mark()
    equal(edit(talk.b, edited(m, "changed")).code, 0, "edit")
    talk.a.told(UPDATED, m, at[talk.a])
    equal(fresh.texts(50)[-1], "changed", "the oldest message")
    equal(fresh.client.events(UPDATED, after), [], "events on the fresh device")
