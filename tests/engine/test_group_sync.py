"""Groups over absences: unread with own messages between, mentions, what comes back, and the order of what fills a hole."""
from talks import MEETING, PUBLIC, REVOKE, UPDATED, WORK, talks
from timbre import GROUP, equal, text_elem, text_of

REVOKED = 6
REACTED, EXTENDED = "TIMSetMsgReactionsChangedCallback", "TIMSetMsgExtensionsChangedCallback"
AT_ME, AT_ALL, BOTH = 1, 2, 3
ALL = "__kImSDK_MesssageAtALL__"


def came(talk, side, text, **keys):
    """Sends a text and waits until every device that is there has it."""
    m = side.text(text, **keys)
    for other in talk.all:
        if other is not side and other.client.status() == 1:
            other.client.incoming(text)
    return m


def pages(side, count, newer=False):
    """The whole history page by page: (seq, text)."""
    got, last = [], None
    while True:
        page = side.client.history(side.peer, count, last, newer=newer, kind=GROUP)
        if not page:
            return [(m["message_seq"], None if not m["message_elem_array"] else m["message_elem_array"][0].get("text_elem_content", "tip"))
                    for m in got]
        got, last = got + page, page[-1]


def read_up_to(side, seq):
    side.client.ok("TIMConvCleanConversationUnreadMessageCount", "group_" + side.peer, 0, seq)


@talks(GROUP, types=(WORK, PUBLIC), restarts=True)
def test_unread(t, talk):
    """Own messages of either device never count, here or on a fresh device, before and after reading and restarts."""
    bobs = (talk.b, talk.b2)

    def all_have(n):
        for side in bobs + (talk.fresh(talk.b),):
            equal((side.unread(), side.client.total()), (n, n), "unread at a device of bob")
    came(talk, talk.a, "a1")
    came(talk, talk.b, "b1")
    second = came(talk, talk.a2, "a2")
    came(talk, talk.b2, "b2")
    came(talk, talk.a, "a3")
    all_have(3)
    at = talk.marks()
    read_up_to(talk.b2, second["message_seq"])
    for side in bobs:
        side.updated(lambda c: c["conv_unread_num"] == 1, at[side])
    talk.middle()
    came(talk, talk.b, "b3")
    all_have(1)
    talk.b.client.again()
    talk.b2.client.again()
    all_have(1)
    came(talk, talk.b2, "b4")
    came(talk, talk.a, "a4", message_is_excluded_from_unread_count=True)
    came(talk, talk.a, "a5")
    all_have(2)
    at = talk.marks()
    read_up_to(talk.b, 0)
    for side in bobs:
        side.updated(lambda c: c["conv_unread_num"] == 0, at[side])
    came(talk, talk.b2, "b5")
    all_have(0)
    equal((talk.a.unread(), talk.a2.unread()), (5, 5), "unread of the other")


@talks(GROUP, types=(WORK,), restarts=True)
def test_unread_over_a_hole(t, talk):
    """Counts after an absence do not need the messages: reading in the middle of the hole is counted by the server."""
    talk.fill(2)
    read_up_to(talk.b, 0)
    talk.b2.client.logout()
    sent = [m for n in range(12) for m in (talk.a.text("x%d" % n), talk.b.text("own%d" % n))]
    talk.a.text("last")
    talk.b.client.incoming("last")
    equal(talk.b.unread(), 13, "unread at the device that was there")
    talk.b2.client.login()
    equal((talk.b2.unread(), talk.b2.client.total()), (13, 13), "unread at the device that was away")
    talk.middle()
    at = talk.marks()
    read_up_to(talk.b2, sent[8]["message_seq"])  # x4, in the hole
    for side in (talk.b, talk.b2):
        side.updated(lambda c: c["conv_unread_num"] == 8, at[side])
    for side in (talk.b, talk.b2, talk.fresh(talk.b)):
        equal(side.unread(), 8, "unread after reading in the hole")
    equal(len(talk.b2.texts()), 27, "messages after the hole is filled")
    equal(talk.b2.unread(), 8, "unread then")
    talk.b2.text("another own")
    talk.a.text("another")
    for side in (talk.b, talk.b2):
        side.client.incoming("another")
        equal(side.unread(), 9, "unread with another")


@talks(GROUP, types=(WORK, MEETING), restarts=True)
def test_while_away(t, talk):
    """A device that was away hears of the newest message and of changes of those that it has; history fills the hole."""
    known = [came(talk, talk.a, "k%d" % i, message_support_message_extension=True) for i in range(5)]
    unread = 0 if talk.type == MEETING else 5
    equal(talk.b2.unread(), unread, "unread before")
    talk.b2.client.logout()
    at = talk.b2.client.mark()
    news = [talk.a.text("n%d" % i) for i in range(30)]
    b = talk.b.client
    b.incoming("n29")
    equal(b.ask("TIMMsgModifyMessage", dict(known[1], message_elem_array=[text_elem("k1 edited")])).code, 0, "edit")
    equal(b.ask("TIMMsgModifyMessage", dict(news[3], message_elem_array=[text_elem("n3 edited")])).code, 0, "edit")
    for m in (known[2], news[4]):
        equal(talk.a.ask("TIMMsgRevoke", m).code, 0, "revoke")
        equal(b.ask("TIMMsgAddMessageReaction", m, "x").code, 6017, "a reaction to what is revoked")
    for m in (known[3], news[5]):
        equal(b.ask("TIMMsgAddMessageReaction", m, "thumb").code, 0, "react")
    equal(b.ask("TIMMsgSetMessageExtensions", known[4], [{"message_extension_key": "k", "message_extension_value": "v"}]).code, 0, "extend")
    talk.b2.client.login()
    talk.middle()
    c = talk.b2.client

    def about(setter):
        return [x.get("message_msg_id", x.get("message_reaction_change_info_msg_id")) for e in c.events(setter, at) for x in e.json()]
    ids = [m["message_msg_id"] for m in known]
    equal([text_of(m) for m in c.received(at)], ["n29"], "new messages")
    equal((about(UPDATED), about(REVOKE), about(REACTED)), ([ids[1]], [ids[2]], [ids[3]]), "the events of what it had")
    equal([e.args[0] for e in c.events(EXTENDED, at)], [ids[4]], "the extensions")
    equal(talk.b2.unread(), 0 if talk.type == MEETING else 35, "unread")
    equal((talk.b2.last(), talk.b2.info()["conv_last_msg"]["message_seq"]), ("n29", news[-1]["message_seq"]), "the last message")
    want = ["n%d" % i for i in range(29, -1, -1)] + ["k%d" % i for i in range(4, -1, -1)]
    for text, now in (("k1", "k1 edited"), ("n3", "n3 edited"), ("k2", None), ("n4", None)):
        want[want.index(text)] = now
    mark = c.mark()
    top = news[-1]["message_seq"]
    equal(pages(talk.b2, 7), list(zip(range(top, 0, -1), want + ["tip"] * talk.tips)), "the history")
    equal(c.received(mark) + about(UPDATED)[1:] + about(REVOKE)[1:], [], "what history tells")
    equal((talk.b2.unread(), talk.b2.last()), (0 if talk.type == MEETING else 35, "n29"), "the conversation after the history")
    equal(pages(talk.fresh(talk.b), 9, newer=True), list(zip(range(1, top + 1), (want + ["tip"] * talk.tips)[::-1])), "upwards on a fresh device")
    mark = c.mark()
    c.logout()
    c.login()
    for setter in (UPDATED, REVOKE, REACTED, EXTENDED):
        equal(c.events(setter, mark), [], "%s after another login" % setter)
    equal(c.received(mark), [], "new messages after another login")


@talks(GROUP, types=(WORK, PUBLIC, MEETING), restarts=True)
def test_mentions(t, talk):
    """Unread mentions stand in the conversation, for who was there, who was away and who begins anew, until they are read."""
    def at_info(side):
        return [(x["conv_group_at_info_seq"], x["conv_group_at_info_at_type"]) for x in side.info()["conv_group_at_info_array"]]
    talk.b2.client.logout()
    one = talk.a.text("@bob", message_group_at_user_array=[talk.b.name])
    two = talk.a.text("@all", message_group_at_user_array=[ALL])
    talk.a.text("@alice", message_group_at_user_array=[talk.a.name])
    three = talk.a.text("both", message_group_at_user_array=[talk.b.name, ALL])
    talk.b.client.incoming("both")
    want = [(one["message_seq"], AT_ME), (two["message_seq"], AT_ALL), (three["message_seq"], BOTH)]
    equal(at_info(talk.b), want, "mentions, there")
    talk.middle()
    if talk.b2.client.status() != 1:
        talk.b2.client.login()
    equal(at_info(talk.b2), want, "mentions, away")
    equal(at_info(talk.fresh(talk.b)), want, "mentions, on a fresh device")
    talk.b.client.logout()
    talk.b.client.login()
    equal(at_info(talk.b), want, "mentions after another login")
    equal(at_info(talk.a), [], "of oneself")
    at = talk.marks()
    read_up_to(talk.b, two["message_seq"])
    for side in (talk.b, talk.b2):
        side.updated(lambda c: len(c["conv_group_at_info_array"]) == 1, at[side])
        equal(at_info(side), want[2:], "mentions after reading two")
    at = talk.marks()
    talk.b2.ok("TIMMsgReportReaded", None)
    for side in (talk.b, talk.b2):
        side.updated(lambda c: c["conv_group_at_info_array"] == [], at[side])
    equal(at_info(talk.fresh(talk.b)), [], "mentions on a fresh device after reading")


@talks(GROUP, types=(WORK, MEETING))
def test_what_stands_beside_leaves_the_conversation(t, talk):
    """Reactions, extensions and receipts change neither its place, nor what is unread, nor its last message."""
    m = came(talk, talk.a, "last", message_support_message_extension=True, message_need_read_receipt=True)
    other = talk.t.user("carol")
    other.text(talk.b.name, "newer")
    talk.b.client.incoming("newer")
    before = [(c["conv_id"], c["conv_unread_num"], c["conv_active_time"], text_of(c["conv_last_msg"])) for c in talk.b.client.conversations()]
    at = talk.marks()
    a = talk.a.client
    equal(a.ask("TIMMsgAddMessageReaction", m, "x").code, 0, "react")
    equal(a.ask("TIMMsgSetMessageExtensions", m, [{"message_extension_key": "k", "message_extension_value": "v"}]).code, 0, "extend")
    equal(talk.b.client.ask("TIMMsgSendMessageReadReceipts", [m]).code, 0, "confirm")
    talk.b.client.event(EXTENDED, after=at[talk.b])
    equal([(c["conv_id"], c["conv_unread_num"], c["conv_active_time"], text_of(c["conv_last_msg"])) for c in talk.b.client.conversations()],
          before, "the conversations")
    talk.a2.updated(lambda c: c["conv_last_msg"]["message_group_receipt_read_count"] == 1, at[talk.a2])
