"""History pages in every form of the question: start, direction, window and kinds; from here, from the server, and merged."""
import time

import timbre
from talks import TIP, imported, talks
from timbre import C2C, GROUP, check, equal, text_elem, text_of


def names(*numbers):
    return ["m%d" % i for i in numbers]


def down(first, last):
    return names(*range(first, last - 1, -1))


def up(first, last):
    return names(*range(first, last + 1))


def walk(side, count, newer=False, cloud=True, last=None):
    """Every page until an empty one."""
    got = []
    while True:
        page = side.client.history(side.peer, count, last, newer, cloud, kind=side.kind)
        if not page:
            return got
        got, last = got + page, page[-1]
        check(len(got) < 1000, "the pages do not end")


def keep_a_day(talk, last):
    """What the server does when messages up to a number are older than it keeps them."""
    talk.server.options += ["--retention-days", "1"]
    talk.server.database("UPDATE msg SET time = time - 2 * 86400 * 1000 WHERE seq <= ?", last + talk.tips)


def swept(talk, first):
    talk.server.swept(lambda: talk.server.database("SELECT min(seq) FROM msg")[0][0] == first + talk.tips)


def plain(messages):
    return [text_of(m) for m in messages if m["message_elem_array"][0]["elem_type"] != TIP]


def spread(talk, seconds=60):
    """Moves what the server has into the past: so many seconds lie between two messages, the newest is of now."""
    def move():
        talk.server.database("UPDATE msg SET time = time - 1000 * ? * ((SELECT max(seq) FROM msg n WHERE n.pair = msg.pair) - seq)",
                             seconds)
    talk.restarted(change=move)


@talks(restarts=True)
def test_both_ways(t, talk):
    """Pages of 7 over 30 messages on every device, to an empty end, each message once."""
    sent = talk.fill(30)
    talk.middle()
    for side in talk.all + [talk.fresh(talk.b)]:
        for cloud in (True, False):
            equal(plain(walk(side, 7, cloud=cloud)), down(29, 0), "towards older, cloud %s" % cloud)
            equal(plain(walk(side, 7, newer=True, cloud=cloud)), up(0, 29), "towards newer, cloud %s" % cloud)
    m = talk.b.found(sent[10])
    equal(talk.b.texts(3, last=m), down(9, 7), "before a message")
    equal(talk.b.texts(3, last=m, newer=True), up(11, 13), "after it")
    equal(talk.b.texts(3, last={}), down(29, 27), "{} means none")
    equal(talk.b.texts(3, last={}, newer=True)[:2], up(0, 1), "{} towards newer")
    equal(talk.b.texts(5, last=talk.b.found(sent[-1]), newer=True), [], "after the newest")
    equal(talk.b.texts(5, last=talk.b.history(31, newer=True)[0]), [], "before the oldest")


@talks(restarts=True)
def test_over_holes(t, talk):
    """A fresh device holds the end alone. A page from its middle makes two holes; both ways each message comes once."""
    sent = talk.fill(90)
    talk.middle()
    for newer in (False, True):
        fresh = talk.fresh(talk.a)
        check(len(fresh.texts(200, cloud=False)) < 90, "a fresh device holds everything")
        equal(fresh.texts(10, last=sent[50]), down(49, 40), "a page in the middle, from a message that is not here")
        equal(fresh.texts(10, last=sent[50], newer=True), up(51, 60), "and on its other side")
        want = up(0, 89) if newer else down(89, 0)
        equal(plain(walk(fresh, 20, newer)), want, "every message once, newer %s" % newer)
        equal(plain(walk(fresh, 20, newer, cloud=False)), want, "afterwards they are here")


@talks()
def test_local_is_local(t, talk):
    """false asks nobody: what this device holds, by either spelling of the key."""
    talk.fill(40)
    fresh = talk.fresh(talk.b)
    fresh.ok("TIMMsgReportReaded", None)
    fresh = talk.fresh(talk.b)  # nothing is unread: the last message is all it gets
    for key in ("is_ramble", "is_remble"):
        got = fresh.ok("TIMMsgGetMsgList", {"msg_getmsglist_param_count": 20, "msg_getmsglist_param_" + key: False}).json
        equal([text_of(m) for m in got], ["m39"], "the local history, %s" % key)
    got = fresh.ok("TIMMsgGetMsgList", {"msg_getmsglist_param_count": 5, "msg_getmsglist_param_is_remble": True}).json
    equal([text_of(m) for m in got], down(39, 35), "with the server")


@talks()
def test_merged(t, talk):
    """Messages of the server and of this device alone stand together in the order of their times."""
    talk.fill(3)
    spread(talk, 100)
    fresh = talk.fresh(talk.a)
    times = {text_of(m): m["message_server_time"] for m in fresh.history()}
    fresh.ok("TIMMsgImportMsgList", [{"message_elem_array": [text_elem(name)], "message_sender": fresh.name, "message_client_time": s,
             "message_server_time": s} for name, s in (("between", times["m1"] + 50), ("before", times["m0"] - 500))])
    for cloud in (True, False):
        equal(fresh.texts(cloud=cloud), ["m2", "between", "m1", "m0", "before"], "towards older, cloud %s" % cloud)
        equal(fresh.texts(cloud=cloud, newer=True), ["before", "m0", "m1", "between", "m2"], "towards newer")


@talks()
def test_window(t, talk):
    """A closed window of time, also where a fresh device holds nothing."""
    talk.fill(60)
    spread(talk)
    stamps = {text_of(m): m["message_server_time"] for m in talk.fresh(talk.a).history(100)}
    equal(len(stamps), 60, "messages")

    def window(side, newer=False, cloud=True, **keys):
        return side.texts(20, cloud=cloud, newer=newer, **keys)
    for first in (False, True):  # the first question of a fresh device is one towards older, then one towards newer
        fresh = talk.fresh(talk.a)
        if first:
            equal(window(fresh, time_begin=stamps["m20"], time_period=330), down(20, 15), "towards older")
        equal(window(fresh, True, time_begin=stamps["m20"], time_period=330), up(20, 25), "towards newer")
        equal(window(fresh, time_begin=stamps["m10"] + 30, time_period=60), ["m10"], "ends between two")
        equal(window(fresh, time_begin=stamps["m40"])[:3], down(40, 38), "open at its other end")
        equal(window(fresh, True, time_begin=stamps["m57"]), up(57, 59), "up to now")
        since = int(time.time()) - stamps["m57"] + 30  # half of the way to m56, whenever it is asked
        equal(window(fresh, time_period=since), down(59, 57), "the last minutes")
        equal(window(fresh, time_begin=stamps["m0"] - 100), [], "before everything")
        equal(window(fresh, True, time_begin=stamps["m59"] + 1), [], "after everything")
        m = next(x for x in talk.a.history(100) if text_of(x) == "m45")
        equal(window(fresh, last=m, time_begin=stamps["m47"], time_period=330), down(44, 42), "a window and a last message")
        equal(window(fresh, True, cloud=False, time_begin=stamps["m20"], time_period=330), up(20, 25), "afterwards they are here")


@talks(GROUP)
def test_by_number(t, talk):
    """last_msg_seq in a group: itself included, both ways; last_msg wins."""
    sent = talk.fill(60)
    seq = {text_of(m): m["message_seq"] for m in sent}
    for side in (talk.b, talk.fresh(talk.a)):
        for cloud in (True, False):
            equal(side.texts(5, last_msg_seq=seq["m20"], cloud=cloud), down(20, 16), "towards older, cloud %s" % cloud)
            equal(side.texts(5, last_msg_seq=seq["m20"], newer=True, cloud=cloud), up(20, 24), "towards newer")
        equal(side.texts(5, last=sent[40], last_msg_seq=seq["m20"]), down(39, 35), "last_msg wins")
        equal(side.texts(5, last={}, last_msg_seq=seq["m20"]), down(20, 16), "{} does not")
        equal(side.texts(5, last_msg_seq=seq["m59"] + 1, newer=True), [], "after the newest")
        equal(side.texts(5, last_msg_seq=1), [], "the group's first is a tip")
        equal(side.texts(5, last_msg_seq=seq["m59"] + 100), down(59, 55), "a number that is not there yet")


@talks(C2C)
def test_by_number_is_for_groups(t, talk):
    sent = talk.fill(5)
    equal(talk.b.texts(2, last_msg_seq=sent[2]["message_seq"]), down(4, 3), "last_msg_seq between two")
    equal(talk.b.texts(2, message_seq_array=[sent[2]["message_seq"]]), down(4, 3), "message_seq_array between two")


@talks(GROUP)
def test_these_numbers(t, talk):
    """message_seq_array: just these, whatever else is said; what is not there is left out."""
    sent = talk.fill(60)
    wanted = [sent[i]["message_seq"] for i in (3, 50, 20)] + [9999]
    for side in (talk.b, talk.fresh(talk.a)):
        equal(side.texts(1, message_seq_array=wanted, last=sent[10], time_begin=5), names(50, 20, 3), "newest first")
        equal(side.texts(20, message_seq_array=wanted, newer=True), names(3, 20, 50), "oldest first")
        equal(side.texts(20, message_seq_array=[9999]), [], "none of them is there")
        equal(plain(walk(side, 20)), down(59, 0), "afterwards the pages are whole")
    equal(talk.a.ask("TIMMsgRevoke", sent[20]).code, 0, "revoke")
    equal(talk.a.ask("TIMMsgDelete", {"msg_delete_param_msg": sent[3], "msg_delete_param_is_ramble": True}).code, 0, "delete")
    equal(talk.a.texts(20, message_seq_array=wanted), ["m50", None], "with a revoked and without a deleted one")


@talks()
def test_kinds(t, talk):
    """A filter by the kinds of elements, on what is here."""
    talk.fill(2)
    talk.a.send([{"elem_type": timbre.FACE, "face_elem_index": 1}]).wait(code=0)
    talk.a.send([{"elem_type": timbre.CUSTOM, "custom_elem_data": "d"}, text_elem("m2")]).wait(code=0)
    talk.a.text("m3")
    talk.b.client.incoming("m3")
    for side in (talk.a, talk.b):
        def kinds(*types, **keys):
            return [[e["elem_type"] for e in m["message_elem_array"]]
                    for m in side.history(cloud=False, msg_getmsglist_param_message_type_array=list(types), **keys)]
        equal(kinds(timbre.TEXT), [[0], [3, 0], [0], [0]], "texts")
        equal(kinds(timbre.FACE), [[6]], "faces")
        equal(kinds(timbre.FACE, timbre.CUSTOM, newer=True), [[6], [3, 0]], "two kinds towards newer")
        equal(kinds(timbre.LOCATION), [], "locations")


@talks()
def test_retention(t, talk):
    """What the server keeps no longer is in no history of a fresh device; a device that has it keeps it."""
    talk.fill(6)
    talk.restarted(change=lambda: keep_a_day(talk, 3))
    swept(talk, 4)
    fresh = talk.fresh(talk.b)
    equal(plain(walk(fresh, 2)), down(5, 3), "towards older on a fresh device")
    equal(plain(walk(fresh, 2, newer=True)), up(3, 5), "towards newer")
    for side in (talk.a, talk.b):
        equal(side.texts(), down(5, 0), "the history of a device that has it")
    fresh.ok("TIMMsgReportReaded", None)
    equal((fresh.unread(), fresh.last()), (0, "m5"), "unread and last message")
    talk.a.text("m6")
    fresh.client.incoming("m6")
    equal(fresh.texts(), down(6, 3), "with a new message")
    equal(fresh.unread(), 1, "unread")


@talks()
def test_long_away(t, talk):
    """Away for longer than the server's log reaches: what changed is made up for, and what this device alone still has stays."""
    sent = talk.fill(8)
    talk.b2.client.logout()
    equal(talk.a.ask("TIMMsgRevoke", sent[7]).code, 0, "revoke")
    equal(talk.a.client.ask("TIMMsgModifyMessage", dict(sent[6], message_elem_array=[text_elem("edited")])).code, 0, "edit")
    equal(talk.b.ask("TIMMsgDelete", {"msg_delete_param_msg": sent[5], "msg_delete_param_is_ramble": True}).code, 0, "delete")

    def change():
        keep_a_day(talk, 3)
        for table in ("user_log", "change_log"):
            talk.server.database("UPDATE %s SET pos = pos + 300000" % table)
    talk.restarted(change=change)
    swept(talk, 4)
    talk.b2.client.login()
    equal(talk.b2.texts(), [None, "edited", "m5", "m4", "m3", "m2", "m1", "m0"], "the history of a device that was away")
    equal(talk.b2.texts(cloud=False)[:2], [None, "edited"], "afterwards it is here")
    equal(talk.b2.unread(), 8, "unread")
    talk.a.text("m8")
    for side in (talk.b, talk.b2):
        side.client.incoming("m8")
        equal((side.last(), side.unread()), ("m8", 9), "with a new message")


@talks()
def test_import_into_a_hole(t, talk):
    """Imported where this device holds nothing yet: in its place when the messages around it come."""
    talk.fill(40)
    spread(talk, 100)
    stamps = {text_of(m): m["message_server_time"] for m in talk.fresh(talk.a).history(100)}
    fresh = talk.fresh(talk.a)
    fresh.texts(5)
    at = stamps["m20"] + 50
    imported(fresh.client, fresh.peer, [at, at + 10, stamps["m0"] - 50], talk.kind)
    want = down(39, 21) + ["at %d" % (at + 10), "at %d" % at] + down(20, 0) + ["at %d" % (stamps["m0"] - 50)]
    equal(plain(walk(fresh, 7)), want, "towards older")
    equal(plain(walk(fresh, 9, newer=True)), want[::-1], "towards newer")
