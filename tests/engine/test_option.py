"""Receive options: of users, of groups, and for everything at certain times."""
import time

from talks import MEETING, PUBLIC, WORK, talks, told_nothing
from timbre import ADD, C2C, GROUP, equal

RECEIVE, NOTHING, QUIET, AT_ONLY = 0, 1, 2, 3
TOTAL = "TIMSetConvTotalUnreadMessageCountChangedCallback"
ALL = "TIMSetMsgAllMessageReceiveOptionCallback"
REPORT, OPTION_REPORT = 8, 21


def set_option(side, option):
    if side.kind == C2C:
        return side.client.ask("TIMMsgSetC2CReceiveMessageOpt", [side.peer], option)
    return side.client.ask("TIMMsgSetGroupReceiveMessageOpt", side.peer, option)


def option(side):
    if side.kind == C2C:
        return side.client.ok("TIMMsgGetC2CReceiveMessageOpt", [side.peer]).json[0]["msg_recv_msg_opt_result_opt"]
    groups = side.client.ok("TIMGroupGetJoinedGroupList").json
    return next(g["group_base_info_msg_flag"] for g in groups if g["group_base_info_group_id"] == side.peer)


def chosen(talk, side, value):
    """Sets the option on a device and waits until both of the user's know it."""
    mates = [s for s in talk.all if s.name == side.name]
    at = talk.marks()
    r = set_option(side, value)
    equal((r.code, r.text), (0, ""), "the result")
    for s in mates:
        equal(s.updated(lambda c: c["conv_recv_opt"] == value, at[s])["conv_recv_opt"], value, "the conversation's option")
        equal(option(s), value, "the option asked for")
    return at


@talks(types=(WORK, PUBLIC), restarts=True)
def test_quiet(t, talk):
    """2 and 3: messages come and count in the conversation, not in the total."""
    talk.fill(1)
    for side in (talk.b, talk.b2):
        equal((side.unread(), side.client.total()), (1, 1), "unread and total")
    n = 1
    for value in (QUIET, AT_ONLY):
        at = chosen(talk, talk.b, value)
        for side in (talk.b, talk.b2):
            if value == QUIET:
                equal(side.client.event(TOTAL, after=at[side]).args, [0], "the total's event")
        talk.middle()
        talk.fill(1, first=n)
        n += 1
        for side in (talk.b, talk.b2):
            equal((side.unread(), side.client.total()), (n, 0), "unread and total with option %d" % value)
    fresh = talk.fresh(talk.b)
    equal((fresh.unread(), fresh.client.total(), fresh.info()["conv_recv_opt"]), (n, 0, AT_ONLY), "on a fresh device")
    at = chosen(talk, talk.b2, RECEIVE)
    for side in (talk.b, talk.b2):
        equal(side.client.total(), n, "total afterwards")
    equal(talk.b.client.event(TOTAL, after=at[talk.b]).args, [n], "the total's event")
    equal((option(talk.a), talk.a.info()["conv_recv_opt"]), (RECEIVE, RECEIVE), "the other side's own option")


@talks(types=(WORK, PUBLIC, MEETING), restarts=True)
def test_nothing(t, talk):
    """1: nothing comes and nothing counts, on no device; back at 0 new ones come, and the history has the others."""
    talk.fill(1)
    counts = talk.type != MEETING or talk.kind == C2C
    chosen(talk, talk.b, NOTHING)
    talk.middle()
    at = talk.marks()
    for n in (1, 2):
        equal(talk.a.text("m%d" % n)["message_status"], 2, "the sender is not told")
    talk.a2.client.incoming("m2", at[talk.a2])
    equal(talk.b.text("of bob")["message_status"], 2, "the user himself may speak")
    talk.a.client.incoming("of bob")
    for side in (talk.b, talk.b2):
        equal([m for m in side.client.received(at[side]) if m["message_sender"] == talk.a.name], [], "new messages")
        equal((side.unread(), side.client.total()), (1 if counts else 0, 0), "unread and total")
    talk.b2.client.logout().login()
    equal(talk.b2.client.received(at[talk.b2]), [m for m in talk.b2.client.received(at[talk.b2])
                                                  if m["message_sender"] != talk.a.name], "new messages after another login")
    chosen(talk, talk.b2, RECEIVE)
    at = talk.marks()
    talk.a.text("m3")
    for side in (talk.b, talk.b2):
        side.client.incoming("m3", at[side])
        want = ["m3", "of bob", "m2", "m1", "m0"]
        equal(side.texts(), want, "the history of " + side.name)
    equal(talk.fresh(talk.b).texts(), want, "the history on a fresh device")
    equal(talk.fresh(talk.b).unread(), talk.b.unread(), "unread here and on a fresh device")
    talk.b.ok("TIMMsgReportReaded", None)
    equal((talk.b.unread(), talk.fresh(talk.b).unread()), (0, 0), "unread after reading")


@talks(GROUP, restarts=True)
def test_nothing_on_a_fresh_device(t, talk):
    """A device that begins while the group is not received learns of it with the next message after the change."""
    talk.fill(1)
    chosen(talk, talk.b, NOTHING)
    fresh = talk.fresh(talk.b)
    equal(fresh.info(), None, "the group on a fresh device")
    at = fresh.client.mark()
    chosen(talk, talk.b, RECEIVE)
    talk.a.text("back")
    fresh.client.conv_event(ADD, talk.group, after=at)
    fresh.client.incoming("back", at)
    equal(fresh.texts(), ["back", "m0"], "the history")
    equal((fresh.unread(), talk.b.unread()), (2, 2), "unread")


@talks(GROUP, types=(WORK, MEETING))
def test_report(t, talk):
    """Each device of the user gets the report as a message that stands in no history."""
    talk.fill(1)
    equal(option(talk.b), QUIET if talk.type == MEETING else RECEIVE, "the option at first")
    for value in (AT_ONLY, NOTHING, RECEIVE):
        at = chosen(talk, talk.b, value)
        for side in (talk.b, talk.b2):
            m = side.client.incoming(lambda m: m["message_elem_array"][0]["elem_type"] == REPORT, at[side], what="the report")
            e = m["message_elem_array"][0]
            equal((e["group_report_elem_report_type"], e["group_report_elem_group_id"], e["group_report_elem_op_user"],
                   e["group_report_elem_group_message_receive_option"]), (OPTION_REPORT, talk.group, talk.b.name, value), "the report")
    at = talk.marks()
    equal(set_option(talk.b, RECEIVE).code, 0, "the same option again")
    told_nothing(talk, [talk.a, talk.b], "TIMSetMsgRevokeCallback", at)
    equal([m for m in talk.b.client.received(at[talk.b]) if m["message_elem_array"][0]["elem_type"] == REPORT], [], "reports of no change")
    equal([m["message_elem_array"][0]["elem_type"] for m in talk.b.history()], [0, 0], "the history")
    equal([c["conv_id"] for c in talk.b.client.conversations()], [talk.group], "the conversations")
    carol = t.user("carol")
    equal(carol.ask("TIMMsgSetGroupReceiveMessageOpt", talk.group, 1).code, 10007, "who is not in the group")
    equal(carol.ask("TIMMsgSetGroupReceiveMessageOpt", t.name("none"), 1).code, 10010, "no such group")
    for bad in (-1, 4):
        equal(set_option(talk.b, bad).code, 6017, "the option %d" % bad)


@talks(C2C)
def test_users(t, talk):
    """At most 30 users a call; each has his own option; who does not exist is passed over."""
    carol, me, nobody = t.user("carol"), talk.b, t.name("nobody")
    r = me.client.ask("TIMMsgSetC2CReceiveMessageOpt", [me.peer] * 31, QUIET)
    equal((r.code, option(me)), (6017, RECEIVE), "31 users")
    equal(me.client.ask("TIMMsgSetC2CReceiveMessageOpt", [carol.name, nobody] * 15, NOTHING).code, 0, "30 users")
    equal(me.client.ask("TIMMsgSetC2CReceiveMessageOpt", [me.peer], 4).code, 6017, "an option that is none")
    equal(me.client.call("TIMMsgSetC2CReceiveMessageOpt", [], QUIET).rc, -3, "no users")
    got = me.client.ok("TIMMsgGetC2CReceiveMessageOpt", [nobody, carol.name, me.peer]).json
    equal([(x["msg_recv_msg_opt_result_identifier"], x["msg_recv_msg_opt_result_opt"]) for x in got],
          [(nobody, RECEIVE), (carol.name, NOTHING), (me.peer, RECEIVE)], "the options")
    equal(talk.b2.info(), None, "a conversation that did not begin")
    carol.text(me.name, "unheard", message_is_online_msg=True)
    carol.text(me.name, "unheard")
    talk.fill(1)
    for side in (me, talk.b2):
        equal((side.client.conversation(carol.name), [m for m in side.client.received() if m["message_sender"] == carol.name]),
              (None, []), "what is heard of carol")
    equal(me.client.ask("TIMMsgSetC2CReceiveMessageOpt", [carol.name], RECEIVE).code, 0, "back")
    carol.text(me.name, "heard")
    for side in (me, talk.b2):
        side.client.incoming("heard")
        equal(side.client.texts(carol.name), ["heard", "unheard"], "the history")
        side.client.conv_event(ADD, carol.name)


@talks(C2C)
def test_all(t, talk):
    """For everything, by the clock or from a moment on: kept, and told to every device of the user."""
    keys = ("opt_level", "opt_start_hour", "opt_start_minute", "opt_start_second", "duration", "opt_start_time_stamp")

    def plain(o):
        return tuple(o["msg_all_recv_msg_" + k] for k in keys)

    def get(side):
        r = side.client.ok("TIMMsgGetAllReceiveMessageOpt").json
        equal(len(r), 1, "settings")
        return plain(r[0])
    equal(get(talk.a), (0,) * 6, "at first")
    now = int(time.time())
    for function, args, want in (("", (QUIET, 22, 30, 5, 3600), (QUIET, 22, 30, 5, 3600, 0)),
                                 ("2", (AT_ONLY, now, 86400), (AT_ONLY, 0, 0, 0, 86400, now)),
                                 ("", (RECEIVE, 0, 0, 0, 86400), (RECEIVE, 0, 0, 0, 86400, 0))):
        at = talk.marks()
        r = talk.a.client.ask("TIMMsgSetAllReceiveMessageOpt" + function, *args)
        equal((r.code, r.text), (0, ""), "the result")
        for side in (talk.a, talk.a2):
            equal(plain(side.client.event(ALL, after=at[side]).json()), want, "the event")
            equal(get(side), want, "asked for")
        equal(talk.b.client.events(ALL), [], "events of another user")
    for args in ((NOTHING, 1, 1, 1, 60), (QUIET, 24, 0, 0, 60), (QUIET, 0, 60, 0, 60), (QUIET, 0, 0, -1, 60)):
        equal(talk.a.client.ask("TIMMsgSetAllReceiveMessageOpt", *args).code, 6017, "the setting %r" % (args,))
    equal(talk.a.client.ask("TIMMsgSetAllReceiveMessageOpt2", NOTHING, now, 60).code, 6017, "the option 1")
    talk.a2.client.logout()
    equal(talk.a.client.ask("TIMMsgSetAllReceiveMessageOpt", QUIET, 1, 2, 3, 4).code, 0, "while the other device is away")
    after = talk.a2.client.mark()
    talk.a2.client.login()
    equal([plain(e.json()) for e in talk.a2.client.events(ALL, after)], [(QUIET, 1, 2, 3, 4, 0)], "what it hears afterwards")
    equal(get(talk.fresh(talk.a)), (QUIET, 1, 2, 3, 4, 0), "on a fresh device")
    talk.b.text("still heard")
    talk.a.client.incoming("still heard")
