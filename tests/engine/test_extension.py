"""Extensions of messages: setting, changing and deleting keys, conflicts, limits, and who is told."""
import threading

from talks import MEETING, PUBLIC, WORK, talks, told_nothing
from timbre import DEADLINE, check, equal

CHANGED, DELETED = "TIMSetMsgExtensionsChangedCallback", "TIMSetMsgExtensionsDeletedCallback"
CONFLICT, MISSING = 23001, 23004


def pairs(items):
    return [(i["message_extension_key"], i.get("message_extension_value")) for i in items]


def results(r):
    """(code, key, value) of each."""
    equal(r.code, 0, "code of the call (%s)" % r.desc)
    return [(i["message_extension_result_code"],) + pairs([i["message_extension_item"]])[0] for i in r.json]


def begin_set(side, message, **values):
    return side.client.begin("TIMMsgSetMessageExtensions", message, [
        {"message_extension_key": k, "message_extension_value": v} for k, v in values.items()])


def at_once(sides, message, key):
    """Every side sets the key to its number, all in the same moment; returns the calls."""
    calls, ready = [None] * len(sides), threading.Barrier(len(sides))

    def begin(i):
        ready.wait(DEADLINE)
        calls[i] = begin_set(sides[i], message, **{key: "of %d" % i})
    threads = [threading.Thread(target=begin, args=(i,)) for i in range(len(sides))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return list(zip(sides, calls))


def put(side, message, **values):
    return begin_set(side, message, **values).wait()


def drop(side, message, *keys):
    return side.client.ask("TIMMsgDeleteMessageExtensions", message, list(keys))


def extensions(side, message):
    return dict(pairs(side.client.ok("TIMMsgGetMessageExtensions", message).json))


def extended(side, message, setter, after):
    """Waits for the event about the message and returns its pairs."""
    e = side.client.event(setter, lambda e: e.args[0] == message["message_msg_id"], after)
    return pairs(e.json(1))


def message(talk, text="extended"):
    m = talk.a.text(text, message_support_message_extension=True)
    for side in talk.all[1:]:
        side.client.incoming(text)
    return m


@talks(types=(WORK, PUBLIC, MEETING), restarts=True)
def test_extensions(t, talk):
    m = message(talk)
    talk.middle()
    acts = [
        (talk.b, CHANGED, lambda s: put(s, m, one="1", two="2"), [("one", "1"), ("two", "2")], {"one": "1", "two": "2"}),
        (talk.a, CHANGED, lambda s: put(s, m, two="zwei", three="\u4e09"), [("two", "zwei"), ("three", "\u4e09")],
         {"one": "1", "two": "zwei", "three": "\u4e09"}),
        (talk.a2, DELETED, lambda s: drop(s, m, "one", "three"), [("one", None), ("three", None)], {"two": "zwei"}),
        (talk.a2, CHANGED, lambda s: put(s, m, one="again"), [("one", "again")], {"two": "zwei", "one": "again"}),
    ]
    for side, setter, act, told, now in acts:
        at = talk.marks()
        equal([(code, key) for code, key, _ in results(act(side))], [(0, key) for key, _ in told], "the results")
        for other in talk.all:
            if other is not side:
                equal(extended(other, m, setter, at[other]), told, "the event at " + other.name)
                equal(extensions(other, m), now, "the extensions at " + other.name)
        equal(side.client.events(setter, at[side]), [], "events on the acting device")
        talk.middle()
    at = talk.marks()
    equal(results(drop(talk.b, m, "none", "two")), [(MISSING, "none", ""), (0, "two", "zwei")], "deleting one that is missing")
    equal(extended(talk.b2, m, DELETED, at[talk.b2]), [("two", None)], "the event")
    equal(extensions(talk.fresh(talk.b), m), {"one": "again"}, "on a fresh device")
    for setter in (CHANGED, DELETED):
        told_nothing(talk, [talk.b], setter, at)


@talks()
def test_conflict(t, talk):
    """Several users set the same key at once: one wins, the others get 23001 and the winner's value, and may try again."""
    m = message(talk)
    sides, lost = [talk.a, talk.b, talk.a2, talk.b2], 0
    for n in range(60):
        for side in sides:
            extensions(side, m)  # they know how it is before
        key = "key%d" % n
        got = [(side, results(c.wait())[0]) for side, c in at_once(sides, m, key)]
        won = [r for _, r in got if r[0] == 0]
        losers = [(side, r) for side, r in got if r[0] != 0]
        check(won, "nobody won: %r" % got)
        for side, (code, k, value) in losers:
            equal((code, k), (CONFLICT, key), "who lost")
            check(value in [w[2] for w in won], "the value of another: %r" % value)
        lost += len(losers)
        if losers:
            side = losers[0][0]
            extensions(side, m)
            at = talk.marks()
            equal(results(put(side, m, **{key: "second try"})), [(0, key, "second try")], "the second try")
            for other in sides:
                if other is not side:
                    equal(extended(other, m, CHANGED, at[other])[-1][0], key, "the event")
                equal(extensions(other, m)[key], "second try", "the value")
        if lost > 2:
            return
    check(False, "no two calls met")


@talks()
def test_the_conflict_teaches(t, talk):
    """What a conflict shows has been seen: trying again right away goes through."""
    m = message(talk)
    for n in range(60):
        for side in (talk.a, talk.b):
            extensions(side, m)
        key = "key%d" % n
        losers = [side for side, c in at_once((talk.a, talk.b), m, key) if results(c.wait())[0][0] == CONFLICT]
        for side in losers:
            equal(results(put(side, m, **{key: "second"})), [(0, key, "second")], "the second try")
            return
    check(False, "no two calls met")


@talks()
def test_limits(t, talk):
    m, plain = message(talk), talk.a.text("plain")
    for values, code in (({"k" * 100: "v" * 1024}, 0), ({"k" * 101: "v"}, 6017), ({"k": "v" * 1025}, 6017), ({"": "v"}, 6017),
                         ({"k%d" % i: "" for i in range(21)}, 6017)):
        equal(put(talk.a, m, **values).code, code, "the code")
    equal(drop(talk.a, m, *["k%d" % i for i in range(21)]).code, 6017, "deleting 21")
    equal(put(talk.b, talk.b.found(plain), k="v").code, 6017, "a message without the mark")
    equal(put(talk.a, dict(m, message_msg_id="1-2-3", message_seq=0), k="v").code, 6017, "an unknown message")
    unknown = dict(m, message_msg_id="1-2-3", message_seq=999)
    equal(put(talk.a, unknown, k="v").code, 10030 if talk.kind == 2 else 20022, "a number that is not there")
    for empty in ([], {}):
        equal(talk.a.client.call("TIMMsgSetMessageExtensions", m, empty).rc, -3, "no extensions")
    for n in range(15):
        side = talk.a if n % 2 else talk.b
        got = results(put(side, m, **{"k%d" % i: "v" for i in range(20 * n, 20 * n + 20)}))
        want = [0] * 20 if n < 14 else [0] * 19 + [6017]  # the long key is one of 300
        equal([code for code, _, _ in got], want, "the results of call %d" % n)
    equal(len(extensions(talk.a2, m)), 300, "extensions")
    extensions(talk.a, m)
    equal(results(put(talk.a, m, k0="changed", more="x")), [(0, "k0", "changed"), (6017, "more", "x")], "with 300")
    equal(results(drop(talk.a, m, "k1"))[0][0], 0, "deleting one")
    equal(results(put(talk.a, m, more="x")), [(0, "more", "x")], "room again")
    equal(talk.a.ask("TIMMsgRevoke", m).code, 0, "revoke")
    equal(put(talk.a, m, k0="v").code, 6017, "a revoked message")


@talks(restarts=True)
def test_while_away(t, talk):
    """Who comes back hears of what changed meanwhile, once and in order, and is in no conflict then."""
    m = message(talk)
    equal(results(put(talk.b, m, k="0", d="x"))[0][0], 0, "set")
    talk.b2.client.event(CHANGED)
    talk.b2.client.logout()
    at = talk.marks()
    for n in range(1, 4):
        equal(results(put(talk.b, m, k=str(n)))[0][0], 0, "set")
    equal(results(drop(talk.b, m, "d"))[0][0], 0, "delete")
    talk.b2.client.login()
    talk.middle()
    equal([pairs(e.json(1)) for e in talk.b2.client.events(CHANGED, at[talk.b2])], [[("k", str(n))] for n in range(1, 4)], "the events")
    equal(extended(talk.b2, m, DELETED, at[talk.b2]), [("d", None)], "the deletion")
    equal(results(put(talk.b2, m, k="mine", d="new")), [(0, "k", "mine"), (0, "d", "new")], "set afterwards")
