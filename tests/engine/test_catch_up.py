"""What a device gets that was away: all of what two users said, of a group the newest and a hole that history fills; a
process that only lost its connection misses nothing of either. Never twice, in order, an event for what came together."""
from relays import Gate
from talks import Side, talks
from timbre import C2C, CONNECTED, DISCONNECTED, check, equal, text_elem, text_of

MESSAGES = "TIMAddRecvNewMsgCallback"


def heard(side, after=0):
    """The texts of the new-message events, tips left out."""
    return [text_of(m) for m in side.client.received(after) if text_of(m)]


def texts(first, n):
    return ["m%d" % i for i in range(first, first + n)]


def whole(side, n):
    """Pages of the history that leave nothing out, newest first."""
    got, last = [], None
    while True:
        page = side.client.history(side.peer, 15, last, kind=side.kind)
        if not page:
            return equal([text_of(m) for m in got if text_of(m)], texts(0, n)[::-1], "the history of %s" % side.name)
        got, last = got + page, page[-1]


def away_and_back(talk, leave, come):
    talk.fill(5)
    at = talk.b.client.mark()
    leave(talk.b)
    calls = [talk.a.send([text_elem(x)]) for x in texts(5, 40)]
    for c in calls:
        c.wait(code=0)
    talk.b2.client.incoming("m44")
    come(talk.b)
    if talk.kind == C2C:
        equal(heard(talk.b, at), texts(5, 40), "what came")
        check(len(talk.b.client.events(MESSAGES, at)) < 40, "an event for each message")
    else:
        talk.b.client.incoming("m44", at)
        equal(heard(talk.b, at), ["m44"], "what came")
    equal(talk.b.unread(), 45, "unread")
    equal(talk.b.last(), "m44", "the last message")
    whole(talk.b, 45)
    for x in texts(45, 2):  # behind the second stands nothing that is still to come of the others
        talk.a.text(x)
    for side in talk.all[1:]:
        side.client.incoming("m46")
        missed = texts(5, 39) if side is talk.b and talk.kind != C2C else []
        equal(heard(side), [x for x in texts(0, 47) if x not in missed], "everything that came to " + side.name)


@talks()
def test_after_a_logout(t, talk):
    away_and_back(talk, lambda b: b.client.logout(), lambda b: b.client.login())


@talks()
def test_after_a_death(t, talk):
    away_and_back(talk, lambda b: b.client.kill(), lambda b: b.client.again())


@talks()
def test_after_a_cut(t, talk):
    """A process that runs on hears of every message, in groups too."""
    gate = Gate(("127.0.0.1", talk.server.port))
    t.defer(gate.close)
    behind = Side(t.client("bob", url=gate.url).start(), talk.b.peer, talk.kind)
    talk.fill(3)
    behind.client.incoming("m2")
    for turn in range(2):
        at, target = behind.client.mark(), gate.target
        gate.target = None
        gate.cut()
        behind.client.network(DISCONNECTED, at)
        first = 3 + 30 * turn
        for c in [talk.a.send([text_elem(x)]) for x in texts(first, 30)]:
            c.wait(code=0)
        gate.target = target
        behind.client.network(CONNECTED, at)
        behind.client.finished(at)
        behind.client.incoming("m%d" % (first + 29), at)
        equal(heard(behind, at), texts(first, 30), "what came after cut %d" % turn)
    equal(heard(behind), texts(0, 63), "everything that came")
    whole(behind, 63)


@talks()
def test_over_a_restart_of_the_server(t, talk):
    """Every device hears of everything once, in order."""
    calls = [talk.a.send([text_elem(x)]) for x in texts(0, 20)]
    at = talk.marks()
    talk.server.stop(hard=True)
    calls += [talk.a.send([text_elem(x)]) for x in texts(20, 20)]
    talk.server.start()
    for side in talk.all:
        side.client.network(CONNECTED, at[side])
    for c in calls:
        c.wait(code=0)
    for side in talk.all[1:]:
        side.client.incoming("m39")
        equal(heard(side), texts(0, 40), "what came")
    for side in talk.all:
        whole(side, 40)


@talks()
def test_everybody_at_once(t, talk):
    """Four devices send at the same time: all have the same history, and each heard of what it did not send, in its order."""
    calls = [side.send([text_elem("%d-%d" % (n, i))]) for i in range(25) for n, side in enumerate(talk.all)]
    sent = {c.wait(code=0).json["message_msg_id"] for c in calls}
    for side in talk.all:
        side.client.until(lambda: len([m for m in side.client._received(0) if text_of(m)]) >= 75 or None, 20, "75 messages")
    order = [m["message_msg_id"] for m in talk.a.history(200)]
    equal(set(order), sent, "the history")
    for n, side in enumerate(talk.all):
        equal([m["message_msg_id"] for m in side.history(200)], order, "the history of device %d" % n)
        got = [(m["message_seq"], text_of(m)) for m in side.client.received() if text_of(m)]
        equal(len(got), 75, "messages that device %d heard of" % n)
        equal(got, sorted(got), "their order")
        check(not any(text.startswith("%d-" % n) for _, text in got), "device %d heard of its own messages" % n)


@talks()
def test_a_fresh_device(t, talk):
    """It hears of what is unread between two users, of a group of the newest, and finds all of it in the history."""
    talk.fill(25)
    fresh = talk.fresh(talk.b)
    fresh.client.incoming("m24")
    if talk.kind == C2C:
        equal(heard(fresh), texts(0, 25), "what came")
    equal(len(set(heard(fresh))), len(heard(fresh)), "messages that came once")
    whole(fresh, 25)
    equal(fresh.unread(), 25, "unread")
    own = talk.fresh(talk.a)
    equal(heard(own), [], "what came of own messages")
    whole(own, 25)
