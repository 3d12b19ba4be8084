"""Receipts in groups of every type: how many are asked, many readers at once, and the limits."""
from talks import MEETING, PUBLIC, RECEIPT, WORK, talks, told_nothing
from timbre import DEADLINE, GROUP, check, equal

COUNTS = ("message_group_receipt_read_count", "message_group_receipt_unread_count")


def ask(side, text, **keys):
    return side.send([{"elem_type": 0, "text_elem_content": text}], message_need_read_receipt=True, **keys).wait()


def counts(message):
    return tuple(message[k] for k in COUNTS)


def told(side, message, after):
    """(read, unread) of every event about the message, in their order."""
    return [(r["msg_receipt_read_count"], r["msg_receipt_unread_count"]) for e in side.client.events(RECEIPT, after) for r in e.json()
            if r["msg_receipt_msg_id"] == message["message_msg_id"]]


@talks(GROUP, types=(WORK, PUBLIC, MEETING), members=["carol", "dave"])
def test_many_at_once(t, talk):
    """All members confirm several messages at the same time: what the sender hears of each one moves one way only."""
    sent = [ask(talk.a, "m%d" % i).json for i in range(4)]
    equal([counts(m) for m in sent], [(0, 3)] * 4, "counts at first")
    readers = [talk.b, talk.b2] + talk.all[4:]
    for side in readers:
        side.client.incoming("m3")
    at = talk.marks()
    calls = [side.client.begin("TIMMsgSendMessageReadReceipts", sent[i:] + sent[:i]) for i, side in enumerate(readers)]
    calls += [side.client.begin("TIMMsgSendMessageReadReceipts", [m]) for m in reversed(sent) for side in readers]
    for c in calls:
        c.wait(code=0)
    for m in sent:
        for side in (talk.a, talk.a2):
            side.client.until(lambda: (3, 0) in told(side, m, at[side]), DEADLINE, "the last count")
            steps = told(side, m, at[side])
            equal(steps, sorted(set(steps)), "the events in their order")
            check(all(read + unread == 3 for read, unread in steps), "read and unread: %r" % steps)
            equal(counts(side.found(m)), (3, 0), "the message")
    r = talk.a.client.ok("TIMMsgGetMessageReadReceipts", sent).json
    equal([(x["msg_receipt_read_count"], x["msg_receipt_unread_count"]) for x in r], [(3, 0)] * 4, "asked for")
    told_nothing(talk, readers, RECEIPT, at)


@talks(GROUP, restarts=True)
def test_while_away(t, talk):
    """The sender's device that was away, or begins anew, has the counts; a count that comes late does not turn them back."""
    carol = t.user("carol")
    m = ask(talk.a, "first").json
    equal(counts(m), (0, 1), "of two members")
    talk.a2.client.incoming("first")
    talk.a.client.ok("TIMGroupInviteMember", {"group_invite_member_param_group_id": talk.group,
                                              "group_invite_member_param_identifier_array": [carol.name]})
    talk.a2.client.logout()
    n = ask(talk.a, "second").json
    equal(counts(n), (0, 2), "of three members")
    carol.incoming("second")
    talk.b.client.incoming("second")
    equal(carol.ask("TIMMsgSendMessageReadReceipts", [n]).code, 0, "confirm")
    equal(talk.b.client.ask("TIMMsgSendMessageReadReceipts", [m, n]).code, 0, "confirm")
    talk.a.client.until(lambda: (2, 0) in told(talk.a, n, 0) and (1, 0) in told(talk.a, m, 0), DEADLINE, "the counts")
    at = talk.marks()
    talk.a2.client.login()
    talk.middle()
    for side in (talk.a, talk.a2, talk.fresh(talk.a)):
        equal([counts(x) for x in side.history()], [(2, 0), (1, 0)], "the history")
        equal([counts(side.found(x)) for x in (n, m)], [(2, 0), (1, 0)], "found")
    equal(told(talk.a2, m, at[talk.a2]), [(1, 0)], "what the device that was away is told of a message that it had")


@talks(GROUP)
def test_limits(t, talk):
    equal(ask(talk.a, "online", message_is_online_msg=True).code, 10061, "a message that is not kept")
    plain = talk.a.text("plain")
    equal(talk.a.client.ask("TIMMsgGetMessageReadReceipts", [plain]).code, 10062, "a message that does not ask")
    for n, code in ((200, 0), (201, 10060)):
        talk.restarted(change=lambda: talk.server.database("UPDATE grp SET members=?", n))
        r = ask(talk.a, "to %d" % n)
        equal(r.code, code, "with %d members" % n)
        if code == 0:
            equal(counts(r.json), (0, 199), "the counts")
    equal(talk.a.text("without receipts")["message_status"], 2, "without receipts")
    talk.b.client.incoming("without receipts")
    equal(talk.b.texts(), ["without receipts", "to 200", "plain"], "what came")
