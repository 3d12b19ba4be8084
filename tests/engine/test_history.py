"""History: pages from here and from the server, over holes, with every start rule. See test_pages for more of them."""
import time

import timbre
from talks import imported
from timbre import C2C, check, equal, text_elem, text_of


def fill(a, b, n, first=0):
    calls = [a.send(b, [text_elem("m%d" % i)]) for i in range(first, first + n)]
    return [c.wait(code=0).json for c in calls]


def names(n, first=0):
    return ["m%d" % i for i in range(first, first + n)]


def walk(client, peer, count, newer=False, cloud=True, first=None):
    """Every page until an empty one, as applications do."""
    pages, last = [], first
    while True:
        page = client.history(peer, count, last, newer, cloud)
        if not page:
            return pages
        pages.append(page)
        last = page[-1]
        check(len(pages) < 100, "the pages do not end")


def test_older_pages(t):
    a, b = t.users("alice", "bob")
    fill(a, b.name, 50)
    for client, peer in ((a, b.name), (b, a.name)):
        if client is b:
            b.incoming_count(50)
        for cloud in (True, False):
            pages = walk(client, peer, 20, cloud=cloud)
            equal([len(p) for p in pages], [20, 20, 10], "lengths of the pages, cloud %s" % cloud)
            equal([text_of(m) for p in pages for m in p], names(50)[::-1], "newest first")


def test_newer_pages(t):
    """Towards newer: oldest first (the trace's order, not the guide's)."""
    a, b = t.users("alice", "bob")
    sent = fill(a, b.name, 50)
    for cloud in (True, False):
        pages = walk(a, b.name, 20, newer=True, cloud=cloud)
        equal([text_of(m) for p in pages for m in p], names(50), "from the beginning, cloud %s" % cloud)
        page = a.history(b.name, 5, sent[10], newer=True, cloud=cloud)
        equal([text_of(m) for m in page], names(5, 11), "after a message, itself excluded")
    equal(a.history(b.name, 5, sent[-1], newer=True), [], "after the newest")
    equal(a.history(b.name, 5, sent[0]), [], "before the oldest")


def test_empty_last_message_means_none(t):
    a, b = t.users("alice", "bob")
    fill(a, b.name, 5)
    equal(a.texts(b.name, last={}), names(5)[::-1], "history with {} as last message")
    equal([text_of(m) for m in a.ok("TIMMsgGetMsgList", b.name, C2C, {
        "msg_getmsglist_param_count": 3, "msg_getmsglist_param_last_msg": {}}).json], ["m4", "m3", "m2"], "with the fewest keys")
    equal([text_of(m) for m in a.ok("TIMMsgGetMsgList", b.name, C2C, {
        "msg_getmsglist_param_count": 3, "msg_getmsglist_param_is_remble": True}).json], ["m4", "m3", "m2"], "the older spelling")


def test_last_message_by_id_or_seq(t):
    a, b = t.users("alice", "bob")
    sent = fill(a, b.name, 10)
    equal(a.texts(b.name, 3, last={"message_msg_id": sent[5]["message_msg_id"]}), ["m4", "m3", "m2"], "by its id alone")
    equal(a.texts(b.name, 3, last=sent[5]), ["m4", "m3", "m2"], "by the whole message")


def test_counts(t):
    a, b = t.users("alice", "bob")
    fill(a, b.name, 5)
    equal(len(a.history(b.name, 100)), 5, "a page larger than the history")
    equal(a.texts(b.name, 1), ["m4"], "a page of one")
    r = a.ask("TIMMsgGetMsgList", b.name, C2C, {"msg_getmsglist_param_count": 0})
    equal(r.code, 6017, "a page of nothing")
    equal(a.history(t.name("nobody")), [], "the history with somebody unknown")
    equal(a.ok("TIMMsgGetMsgList", t.name("nobody"), C2C, {"msg_getmsglist_param_count": 5}).text, "[]", "its text")


def test_time_window(t):
    a = t.user("alice")
    peer = t.name("old friend")[:32]
    imported(a, peer, range(1000, 1100, 10))

    def at(*stamps):
        return ["at %d" % s for s in stamps]
    for cloud in (False, True):
        def texts(**k):
            return a.texts(peer, 100, cloud=cloud, **k)
        equal(texts(time_begin=1050), at(1050, 1040, 1030, 1020, 1010, 1000), "older than a time, itself included")
        equal(texts(time_begin=1050, time_period=20), at(1050, 1040, 1030), "a window towards older, closed")
        equal(texts(time_begin=1050, time_period=25), at(1050, 1040, 1030), "a window that ends between two")
        equal(texts(newer=True, time_begin=1050), at(1050, 1060, 1070, 1080, 1090), "newer than a time, itself included")
        equal(texts(newer=True, time_begin=1050, time_period=20), at(1050, 1060, 1070), "a window towards newer, closed")
        equal(texts(time_begin=999), [], "before everything")
        equal(texts(newer=True, time_begin=1091), [], "after everything")
        all_ = a.history(peer, 100, cloud=cloud)
        middle = next(m for m in all_ if text_of(m) == "at 1050")
        equal(texts(last=middle, time_begin=1070, time_period=50), at(1040, 1030, 1020), "a window and a last message")
    equal(a.texts(peer, 100, time_period=3600), [], "the last hour")


def test_type_filter(t):
    a, b = t.users("alice", "bob")
    a.sent(b.name, [text_elem("one")])
    a.sent(b.name, [{"elem_type": timbre.FACE, "face_elem_index": 1}])
    a.sent(b.name, [{"elem_type": timbre.CUSTOM, "custom_elem_data": "d"}, text_elem("two")])
    a.sent(b.name, [{"elem_type": timbre.LOCATION}])

    def kinds(*types, **k):
        return [[e["elem_type"] for e in m["message_elem_array"]]
                for m in a.history(b.name, cloud=False, msg_getmsglist_param_message_type_array=list(types), **k)]
    equal(kinds(timbre.TEXT), [[3, 0], [0]], "texts")
    equal(kinds(timbre.FACE, timbre.LOCATION), [[7], [6]], "faces and locations")
    equal(kinds(), [[7], [3, 0], [6], [0]], "an empty filter")
    equal(kinds(timbre.TEXT, newer=True), [[0], [3, 0]], "texts towards newer")


def test_over_holes_on_a_fresh_device(t):
    """A fresh device knows the newest only: pages of 20 over 100 messages back to the first, each exactly once."""
    a, b = t.users("alice", "bob")
    fill(a, b.name, 100)
    b.logout()
    a.logout()
    fresh = t.user("alice")
    equal(fresh.received(), [], "own messages are not new on a fresh device")
    local = fresh.texts(b.name, 200, cloud=False)
    check(0 < len(local) < 100 and local == names(100)[::-1][:len(local)],
          "the fresh device holds the newest alone, it has %r" % local)
    pages = walk(fresh, b.name, 20)
    equal([len(p) for p in pages], [20] * 5, "lengths of the pages")
    equal([text_of(m) for p in pages for m in p], names(100)[::-1], "every message once")
    equal(fresh.texts(b.name, 200, cloud=False), names(100)[::-1], "afterwards they are here")
    read = t.user("bob")
    equal(read.unread(a.name), 100, "bob's unread")


def test_over_a_hole_in_the_middle(t):
    """Known: the newest and a piece in the middle. Both directions fill the holes."""
    a, b = t.users("alice", "bob")
    fill(a, b.name, 100)
    a.logout()
    for newer in (False, True):
        fresh = t.user("alice")
        m = fresh.history(b.name, 30)[-1]  # m70
        equal(text_of(m), "m70", "a message in the middle")
        if newer:
            pages = walk(fresh, b.name, 20, newer=True)
            equal([text_of(x) for p in pages for x in p], names(100), "from the beginning")
        else:
            pages = walk(fresh, b.name, 7)
            equal([text_of(x) for p in pages for x in p], names(100)[::-1], "pages of 7")
        fresh.logout()


def test_fresh_device_from_the_beginning(t):
    a, b = t.users("alice", "bob")
    fill(a, b.name, 60)
    a.logout()
    fresh = t.user("alice")
    pages = walk(fresh, b.name, 25, newer=True)
    equal([text_of(m) for p in pages for m in p], names(60), "towards newer from the first message")
    equal([len(p) for p in pages], [25, 25, 10], "lengths of the pages")


def test_large_pages_over_holes(t):
    """A page larger than one answer of the server."""
    a, b = t.users("alice", "bob")
    fill(a, b.name, 260)
    a.logout()
    fresh = t.user("alice")
    pages = walk(fresh, b.name, 250)
    equal([text_of(m) for p in pages for m in p], names(260)[::-1], "every message once")


def test_local_pages_stay_local_without_server(t):
    """Cloud history without a connection: what is here, at once."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    fill(a, b.name, 30)
    a.logout()
    fresh = t.user("alice")
    server.stop()
    fresh.network(timbre.DISCONNECTED)
    fresh.packet_timeout(2)
    begun = time.monotonic()
    equal(fresh.texts(b.name, 20)[0], "m29", "the newest message without a server")
    check(time.monotonic() - begun < 14, "cloud history without a connection took %.1f s" % (time.monotonic() - begun))


test_local_pages_stay_local_without_server.long = True


def test_interleaved_pages_while_messages_arrive(t):
    a, b = t.users("alice", "bob")
    fill(a, b.name, 40)
    b.incoming_count(40)
    first = b.history(a.name, 20)
    fill(a, b.name, 10, first=40)
    b.incoming_count(50)
    second = b.history(a.name, 20, last=first[-1])
    equal([text_of(m) for m in first + second], names(40)[::-1], "two pages with messages between")


def test_survives_a_restart(t):
    folder = t.folder()
    a, b = t.user("alice", folder=folder), t.user("bob")
    fill(a, b.name, 10)
    a.kill()
    again = t.client("alice", folder=folder).init().login()
    equal(again.texts(b.name, cloud=False), names(10)[::-1], "local history after kill -9")
    fill(again, b.name, 3, first=10)
    equal(again.texts(b.name), names(13)[::-1], "history after three more")
    equal(again.unread(b.name), 0, "unread")
