"""Reading: positions and counts, and receipts for single messages."""
import json

from talks import RECEIPT, talks, told_nothing
from timbre import C2C, GROUP, UPDATE, check, equal, text_of

TOTAL = "TIMSetConvTotalUnreadMessageCountChangedCallback"
READ, UNREAD = 0, 1


def confirm(side, messages, function="TIMMsgSendMessageReadReceipts"):
    return side.client.ask(function, messages)


def receipts(side, messages, function="TIMMsgGetMessageReadReceipts"):
    return side.client.ask(function, messages)


def readers(side, message, filter, next_seq=0, count=100, function="TIMMsgGetGroupMessageReadMemberList"):
    """A page: the users, the next number, and whether it is the last."""
    c = side.client.begin(function, message, filter, next_seq, count)
    members, following, finished = c.wait().args
    return [m["group_member_info_identifier"] for m in json.loads(members)], following, finished


def asking(talk, text):
    """A message that asks for receipts and has come."""
    m = talk.a.text(text, message_need_read_receipt=True)
    for side in talk.all[1:]:
        side.client.incoming(text)
    return m


@talks(restarts=True)
def test_read(t, talk):
    """The position reaches the user's other device; counts go one way only."""
    sent = talk.fill(5)
    for side in (talk.b, talk.b2):
        equal((side.unread(), side.client.total()), (5, 5), "unread and total")
    talk.middle()
    for side in (talk.b, talk.b2):
        side.client.total()
    at = talk.marks()
    r = talk.b.ask("TIMMsgReportReaded", talk.b.found(sent[2]))
    equal((r.code, r.text), (0, ""), "the result")
    for side in (talk.b, talk.b2):
        info = side.updated(lambda c: c["conv_unread_num"] == 2, at[side])
        equal(info["conv_group_read_sequence"], sent[2]["message_seq"] if talk.kind == GROUP else 0, "the group's read sequence")
        equal(side.client.event(TOTAL, after=at[side]).args, [2], "the total's event")
        equal([m["message_is_read"] for m in side.history()], [False, False, True, True, True], "which are read")
    talk.b2.ok("TIMMsgReportReaded", talk.b.found(sent[0]))
    for side in (talk.b, talk.b2, talk.fresh(talk.b)):
        equal(side.unread(), 2, "unread after an older report")
    talk.middle()
    talk.b2.ok("TIMMsgReportReaded", None)
    for side in (talk.b, talk.b2):
        side.updated(lambda c: c["conv_unread_num"] == 0, at[side])
        equal((side.unread(), side.client.total()), (0, 0), "unread and total")
        equal(side.last(), "m4", "last message")
    equal(talk.fresh(talk.b).unread(), 0, "unread on a fresh device")


@talks(C2C)
def test_peer_is_told(t, talk):
    """One-to-one both devices of the sender hear what the peer has read."""
    sent = talk.fill(3)
    at = talk.marks()
    talk.b.ok("TIMMsgReportReaded", talk.b.found(sent[1]))
    for side in (talk.a, talk.a2):
        r = side.client.event(RECEIPT, after=at[side]).json()[0]
        equal((r["msg_receipt_conv_id"], r["msg_receipt_conv_type"], r["msg_receipt_is_peer_read"]), (talk.b.name, C2C, True), "the event")
        equal([m["message_is_peer_read"] for m in side.history()], [False, True, True], "what the peer has read")
    talk.b.ok("TIMMsgReportReaded", talk.b.found(sent[0]))
    told_nothing(talk, [talk.b, talk.b2], RECEIPT, at)
    equal(len(talk.a.client.events(RECEIPT, at[talk.a])), 1, "events")


@talks()
def test_up_to(t, talk):
    """A message may be named by its id alone or by its time; a local one stands for what lies before it; an empty one is none."""
    c = talk.b.client

    def left(message, want, code=0):
        equal((talk.b.ask("TIMMsgReportReaded", message).code, talk.b.unread()), (code, want), "after reading up to %r" % message)
    sent = talk.fill(4)
    left({"message_msg_id": sent[1]["message_msg_id"]}, 2)
    left({"message_msg_id": "1-2-3"}, 2, code=6017)
    old = talk.b.ok("TIMMsgSaveMsg", {"message_elem_array": [{"elem_type": 0, "text_elem_content": "old"}], "message_sender": c.name,
                                      "message_server_time": 1000}).json
    left(old, 2)
    local = talk.b.ok("TIMMsgSaveMsg", {"message_elem_array": [{"elem_type": 0, "text_elem_content": "local"}],
                                        "message_sender": c.name}).json
    talk.fill(2, first=4)
    left({"message_msg_id": local["message_msg_id"]}, 2)
    left({"message_msg_id": "1-2-3", "message_server_time": sent[0]["message_server_time"] - 10}, 2)
    left({}, 0)


@talks(GROUP)
def test_group_is_not_told(t, talk):
    talk.fill(2)
    at = talk.marks()
    talk.b.ok("TIMMsgReportReaded", None)
    told_nothing(talk, talk.all, RECEIPT, at)
    equal([m["message_is_peer_read"] for m in talk.a.history()], [False] * 3, "read by the peer")


@talks(GROUP, restarts=True)
def test_all_of_a_type(t, talk):
    """An empty id is all conversations of the type; MarkAll is all of them."""
    talk.fill(2)
    carol = t.user("carol")
    carol.text(talk.b.name, "one-to-one")
    for side in (talk.b, talk.b2):
        side.client.incoming("one-to-one")
        equal(side.client.total(), 3, "total")
    at = talk.marks()
    talk.b.client.ok("TIMMsgReportReaded", "", GROUP, None)
    for side in (talk.b, talk.b2):
        side.updated(lambda c: c["conv_unread_num"] == 0, at[side])
        equal((side.unread(), side.client.unread(carol.name), side.client.total()), (0, 1, 1), "unread and total")
    talk.fill(1, first=2)
    talk.middle()
    talk.b.client.ok("TIMMsgReportReaded", "", C2C, None)
    for side in (talk.b, talk.b2):
        side.client.conv_event(UPDATE, carol.name, lambda c: c["conv_unread_num"] == 0, at[side])
        equal((side.unread(), side.client.unread(carol.name)), (1, 0), "unread")
    carol.text(talk.b.name, "another")
    talk.b.client.incoming("another")
    at = talk.marks()
    equal(talk.b.client.ok("TIMMsgMarkAllMessageAsRead").text, "", "the result")
    equal((talk.b.unread(), talk.b.client.unread(carol.name), talk.b.client.total()), (0, 0, 0), "unread and total")
    talk.b2.updated(lambda c: c["conv_unread_num"] == 0, at[talk.b2])
    talk.b2.client.conv_event(UPDATE, carol.name, lambda c: c["conv_unread_num"] == 0, at[talk.b2])


@talks(C2C, restarts=True)
def test_receipt(t, talk):
    """The receiver confirms single messages: the sender's devices hear of it, and the unread count stays."""
    one, two = asking(talk, "one"), asking(talk, "two")
    plain = talk.fill(1)[0]
    talk.middle()
    at = talk.marks()
    r = receipts(talk.a, [one, two])
    equal([(x["msg_receipt_msg_id"], x["msg_receipt_is_peer_read"]) for x in r.json],
          [(one["message_msg_id"], False), (two["message_msg_id"], False)], "receipts before")
    r = confirm(talk.b, [talk.b.found(one)])
    equal((r.code, r.text), (0, ""), "the result")
    for side in (talk.a, talk.a2):
        e = side.told(RECEIPT, one, at[side])
        equal((e["msg_receipt_conv_id"], e["msg_receipt_conv_type"], e["msg_receipt_is_peer_read"]), (talk.b.name, C2C, True), "the event")
        check(abs(e["msg_receipt_time_stamp"] - side.client.call("TIMGetServerTime").rc) < 90, "its time")
    talk.middle()
    for side in (talk.a, talk.a2, talk.fresh(talk.a)):
        equal([(text_of(m), m["message_receipt_peer_read"]) for m in side.history()],
              [("m0", False), ("two", False), ("one", True)], "what is confirmed")
        equal([(x["msg_receipt_is_peer_read"]) for x in receipts(side, [one, two]).json], [True, False], "receipts")
    equal((talk.b.unread(), talk.b.found(one)["message_has_sent_receipt"], talk.b.found(two)["message_has_sent_receipt"]),
          (3, True, False), "unread, and what the receiver has confirmed")
    equal(talk.fresh(talk.b).history()[-1]["message_has_sent_receipt"], True, "what he has confirmed, on a fresh device")
    at = talk.marks()
    equal(confirm(talk.b, [talk.b.found(one)]).code, 0, "confirming it again")
    equal(confirm(talk.b, [talk.b.found(plain)]).code, 0, "a message that does not ask")
    equal(receipts(talk.a, [plain]).code, 10062, "receipts of a message that does not ask")
    told_nothing(talk, talk.all, RECEIPT, at)


@talks(GROUP, members=["carol"], restarts=True)
def test_group_receipts(t, talk):
    """Counts go up as members confirm, and never down; the sender alone learns who they are."""
    m, carol = asking(talk, "who reads?"), talk.all[4]
    at = talk.marks()

    def counts(side):
        r = receipts(side, [m])
        return r.code, r.json[0]["msg_receipt_read_count"], r.json[0]["msg_receipt_unread_count"]
    equal(counts(talk.a), (0, 0, 2), "at first")
    for n, side in ((1, talk.b), (2, carol)):
        talk.middle()
        equal(confirm(side, [side.found(m)]).code, 0, "confirm")
        for sender in (talk.a, talk.a2):
            e = sender.client.event(RECEIPT, lambda e: e.json()[0]["msg_receipt_read_count"] == n, at[sender]).json()[0]
            equal((e["msg_receipt_msg_id"], e["msg_receipt_conv_id"], e["msg_receipt_conv_type"], e["msg_receipt_unread_count"]),
                  (m["message_msg_id"], talk.group, GROUP, 2 - n), "the event")
            found = sender.found(m)
            equal((found["message_group_receipt_read_count"], found["message_group_receipt_unread_count"]), (n, 2 - n), "the message")
        equal(counts(talk.a), (0, n, 2 - n), "the counts")
    equal(confirm(talk.b2, [talk.b2.found(m)]).code, 0, "confirm again, on the other device")
    equal(counts(talk.a), (0, 2, 0), "the counts")
    equal(talk.b.unread(), 1, "unread")
    found = talk.fresh(talk.a).history()[0]
    equal((found["message_group_receipt_read_count"], found["message_group_receipt_unread_count"]), (2, 0), "on a fresh device")
    told_nothing(talk, [talk.b, talk.b2, carol], RECEIPT, at)


@talks(GROUP, members=["carol", "dave"])
def test_readers(t, talk):
    """Pages of those who have confirmed and of those who have not; the older functions answer alike."""
    m, (carol, dave) = asking(talk, "who reads?"), talk.all[4:]
    equal(readers(talk.a, m, READ), ([], 0, True), "nobody yet")
    users, following, finished = readers(talk.a, m, UNREAD, count=2)
    check(len(users) == 2 and not finished and following != 0, "the first page of two")
    more, _, finished = readers(talk.a, m, UNREAD, following, 2)
    equal((sorted(users + more), finished), (sorted(x.name for x in (talk.b, carol, dave)), True), "both pages")
    equal(confirm(talk.b, [talk.b.found(m)]).code, 0, "confirm")
    equal(confirm(carol, [carol.found(m)], "TIMMsgSendGroupMessageReceipts").code, 0, "confirm by the older function")
    for function in ("TIMMsgGetGroupMessageReadMemberList", "TIMMsgGetGroupMessageReadMembers"):
        equal((sorted(readers(talk.a, m, READ, function=function)[0]), readers(talk.a, m, UNREAD, function=function)[0]),
              (sorted([talk.b.name, carol.name]), [dave.name]), function)
    for function in ("TIMMsgGetMessageReadReceipts", "TIMMsgGetGroupMessageReceipts"):
        r = receipts(talk.a, [m], function).json[0]
        equal((r["msg_receipt_read_count"], r["msg_receipt_unread_count"]), (2, 1), function)
    plain = talk.fill(1)[0]
    for side, message in ((talk.a, plain), (talk.b, m)):  # not asked for, not the sender
        equal(readers(side, message, READ), ([], 0, True), "what may not be known")


@talks()
def test_older_receipt_event(t, talk):
    """A host that knows the older setter alone hears of receipts by it."""
    talk.a.client.listen(RECEIPT, False)
    m = asking(talk, "who reads?")
    at = talk.marks()
    equal(confirm(talk.b, [talk.b.found(m)]).code, 0, "confirm")
    r = talk.a.client.event("TIMSetMsgGroupMessageReceiptCallback", after=at[talk.a]).json()[0]
    equal((r["msg_receipt_msg_id"], r["msg_receipt_read_count"]), (m["message_msg_id"], 1 if talk.kind == GROUP else 0), "the event")
    equal(r["message_receipt_read_count"], r["msg_receipt_read_count"], "the older key")
    if talk.kind == GROUP:
        equal([r["msg_group_message_receipt_" + k] for k in ("group_id", "msg_id", "read_count", "unread_count")],
              [r["msg_receipt_" + k] for k in ("conv_id", "msg_id", "read_count", "unread_count")], "version 6's keys")
    talk.a.client.listen("TIMSetMsgGroupMessageReceiptCallback", False)
    told_nothing(talk, [talk.a], RECEIPT, at)


@talks()
def test_receipts_of_two_conversations(t, talk):
    m = asking(talk, "one")
    other = talk.a.client.text(talk.a.name, "to myself", message_need_read_receipt=True)
    for ask in (confirm, receipts):
        equal(ask(talk.a, [m, other]).code, 6017, "messages of two conversations")
        equal(ask(talk.a, [dict(m, message_msg_id="1-2-3", message_seq=0)]).code, 6017, "an unknown message")


@talks()
def test_receipt_of_a_revoked_message(t, talk):
    m = asking(talk, "one")
    at = talk.marks()
    got = talk.b.found(m)
    equal(talk.a.ask("TIMMsgRevoke", m).code, 0, "revoke")
    equal(confirm(talk.b, [got]).code, 0, "confirming it")
    told_nothing(talk, talk.all, RECEIPT, at)
