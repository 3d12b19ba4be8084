"""Messages of this device: imported, saved, found."""
import time

from talks import imported, talks
from test_history import fill, walk
from timbre import C2C, GROUP, IMPORTED, check, equal, text_elem, text_of


def test_import_and_save(t):
    a, b = t.users("alice", "bob")
    a.text(b.name, "real")
    after = a.mark()
    imported(a, b.name, [1000, 2000])
    m = a.history(b.name, cloud=False)
    equal([text_of(x) for x in m], ["real", "at 2000", "at 1000"], "imported messages stand where their times say")
    old = m[-1]
    equal((old["message_status"], old["message_sender"], old["message_client_time"], old["message_server_time"],
           old["message_is_from_self"]), (IMPORTED, b.name, 1000, 1000, False), "an imported message")
    equal(a.unread(b.name), 0, "unread after the import")
    r = a.ok("TIMMsgSaveMsg", b.name, C2C, {"message_elem_array": [text_elem("saved")], "message_sender": b.name})
    saved = r.json
    equal((text_of(saved), saved["message_status"], saved["message_sender"]), ("saved", IMPORTED, b.name), "the saved message")
    check(abs(saved["message_server_time"] - time.time()) < 60, "a saved message without times has now's: %r" % saved["message_server_time"])
    equal(a.texts(b.name), ["saved", "real", "at 2000", "at 1000"], "history with the saved message")
    equal(text_of(a.conversation(b.name)["conv_last_msg"]), "saved", "the conversation's last message")
    check(a.conv_events(after), "the conversation's event")
    a.text(b.name, "later")
    equal(a.texts(b.name), ["later", "saved", "real", "at 2000", "at 1000"], "history with a later message")
    equal(a.call("TIMMsgSaveMsg", b.name, C2C, {"message_sender": "x"}).rc, -3, "a save without elements")
    b.incoming("later")
    equal(b.texts(a.name), ["later", "real"], "the peer's history")


def test_import_of_many_into_a_new_conversation(t):
    a = t.user("alice")
    peer = t.name("imported")
    imported(a, peer, range(1000, 1500))
    equal([text_of(m) for p in walk(a, peer, 100) for m in p], ["at %d" % i for i in range(1499, 999, -1)], "pages")
    equal(a.conversation(peer)["conv_unread_num"], 0, "unread")
    equal(text_of(a.conversation(peer)["conv_last_msg"]), "at 1499", "last message")


def test_import_of_the_same_second(t):
    """Ties keep the order of the import, in both directions."""
    a = t.user("alice")
    peer = t.name("tied")
    a.ok("TIMMsgImportMsgList", peer, C2C, [{"message_elem_array": [text_elem(str(i))], "message_sender": peer,
                                             "message_client_time": 5000, "message_server_time": 5000} for i in range(30)])
    want = [str(i) for i in range(30)]
    equal([text_of(m) for p in walk(a, peer, 7) for m in p], want[::-1], "towards older")
    equal([text_of(m) for p in walk(a, peer, 7, newer=True) for m in p], want, "towards newer")


def test_import_out_of_order(t):
    """An older import after a newer one still stands before it."""
    a = t.user("alice")
    peer = t.name("shuffled")
    for stamps in ([3000, 3010], [1000, 1010], [2000, 2010]):
        imported(a, peer, stamps)
    equal(a.texts(peer, 100), ["at %d" % s for s in (3010, 3000, 2010, 2000, 1010, 1000)], "history")
    equal(text_of(a.conversation(peer)["conv_last_msg"]), "at 3010", "last message")


def test_find(t):
    a, b = t.users("alice", "bob")
    one, two = fill(a, b.name, 2)
    found = a.ok("TIMMsgFindMessages", [two["message_msg_id"], "1-2-3", one["message_msg_id"]]).json
    equal([m["message_msg_id"] for m in found], [two["message_msg_id"], one["message_msg_id"]], "found messages")
    equal(a.ok("TIMMsgFindMessages", ["1-2-3"]).text, "[]", "nothing found")
    b.incoming("m1")
    equal([text_of(m) for m in b.ok("TIMMsgFindMessages", [one["message_msg_id"]]).json], ["m0"], "found at the peer")


def test_find_by_locator(t):
    a, b = t.users("alice", "bob")
    one, two = fill(a, b.name, 2)
    got = b.incoming("m1")

    def locator(m, **change):
        l = {"message_locator_is_revoked": False, "message_locator_time": m["message_server_time"],
             "message_locator_seq": m["message_seq"], "message_locator_is_self": m["message_is_from_self"],
             "message_locator_rand": m["message_rand"], "message_locator_unique_id": m["message_unique_id"]}
        return dict(l, **change)
    found = a.ok("TIMMsgFindByMsgLocatorList", b.name, C2C, [locator(two), locator(one)]).json
    equal([m["message_msg_id"] for m in found], [two["message_msg_id"], one["message_msg_id"]], "found by locator")
    found = b.ok("TIMMsgFindByMsgLocatorList", a.name, C2C, [locator(got)]).json
    equal([text_of(m) for m in found], ["m1"], "found at the peer")
    wrong = [locator(one, message_locator_rand=1), locator(one, message_locator_seq=99),
             locator(one, message_locator_is_self=False), locator(one, message_locator_time=5)]
    equal(a.ok("TIMMsgFindByMsgLocatorList", b.name, C2C, wrong).text, "[]", "wrong locators")


@talks()
def test_stays_here(t, talk):
    """What is imported and saved is on this device alone, unread counts and the peer's devices know nothing of it."""
    talk.fill(2)
    at = talk.marks()
    imported(talk.b.client, talk.b.peer, [1000, 2000], talk.kind)
    saved = talk.b.ok("TIMMsgSaveMsg", {"message_elem_array": [text_elem("saved")], "message_sender": talk.a.name}).json
    equal((saved["message_conv_id"], saved["message_conv_type"], saved["message_status"]), (talk.b.peer, talk.kind, IMPORTED), "saved")
    talk.b.updated(lambda c: text_of(c["conv_last_msg"]) == "saved", at[talk.b])
    for cloud in (True, False):
        equal(talk.b.texts(cloud=cloud), ["saved", "m1", "m0", "at 2000", "at 1000"], "the history")
    equal((talk.b.unread(), talk.b.last()), (2, "saved"), "unread and last message")
    for side in (talk.a, talk.b2, talk.fresh(talk.b)):
        equal((side.texts(), side.last()), (["m1", "m0"], "m1"), "another device")
    equal([m for m in talk.b.client.received(at[talk.b])], [], "new messages")
    talk.b.client.again()
    equal(talk.b.texts(), ["saved", "m1", "m0", "at 2000", "at 1000"], "the history after kill -9")
    talk.a.text("m2")
    talk.b.client.incoming("m2")
    equal((talk.b.texts(1), talk.b.last(), talk.b.unread()), (["m2"], "m2", 3), "with a later message")


@talks()
def test_found_by_id_and_locator(t, talk):
    """By id on every device, and by what a locator says; revoked and deleted ones too."""
    one, two, three = talk.fill(3)
    equal(talk.a.ask("TIMMsgRevoke", two).code, 0, "revoke")
    equal(talk.a.ask("TIMMsgDelete", {"msg_delete_param_msg": three, "msg_delete_param_is_ramble": False}).code, 0, "delete")
    talk.b.client.event("TIMSetMsgRevokeCallback")
    ids = [m["message_msg_id"] for m in (three, two, one)]
    for side, status in ((talk.a, [4, 6, 2]), (talk.b, [2, 6, 2])):
        found = side.client.ok("TIMMsgFindMessages", ids).json
        equal(([m["message_msg_id"] for m in found], [m["message_status"] for m in found]), (ids, status), "found by id")
        equal([(m["message_conv_id"], m["message_conv_type"]) for m in found], [(side.peer, talk.kind)] * 3, "where they are")
        locators = [{"message_locator_is_revoked": m["message_status"] == 6, "message_locator_time": m["message_server_time"],
                     "message_locator_seq": m["message_seq"], "message_locator_is_self": m["message_is_from_self"],
                     "message_locator_rand": m["message_rand"], "message_locator_unique_id": m["message_unique_id"]} for m in found]
        equal([m["message_msg_id"] for m in side.ok("TIMMsgFindByMsgLocatorList", locators).json], ids, "found by locator")
        wrong = [dict(l, message_locator_is_self=not l["message_locator_is_self"]) for l in locators]
        equal(side.ok("TIMMsgFindByMsgLocatorList", wrong).text, "[]", "with a wrong sender")


@talks()
def test_import_refused(t, talk):
    talk.fill(1)
    good = {"message_elem_array": [text_elem("good")], "message_sender": talk.b.name}
    equal(talk.a.call("TIMMsgImportMsgList", [good, {"message_sender": "x"}]).rc, -3, "one without elements")
    equal(talk.a.texts(), ["m0"], "none is stored")
    equal(talk.a.call("TIMMsgSaveMsg", {}).rc, -3, "an empty message")
    for conv, kind in (("", C2C), ("", GROUP), (talk.a.peer, 0), (talk.a.peer, 3)):
        codes = [talk.a.client.ask(f, conv, kind, m).code for f, m in (("TIMMsgSaveMsg", good), ("TIMMsgImportMsgList", [good]))]
        equal(codes, [6004, 6004], "into the conversation %r of type %d" % (conv, kind))
    equal(len(talk.a.client.conversations()), 1, "conversations")
    saved = talk.a.ok("TIMMsgSaveMsg", good).json
    changed = talk.a.client.ask("TIMMsgModifyMessage", dict(saved, message_elem_array=[text_elem("other")]))
    equal((changed.code, text_of(talk.a.found(saved))), (6017, "good"), "a local message cannot be edited")
