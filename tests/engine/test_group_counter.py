"""Counters of groups: setting, adding at the same time, the event, and how often."""
from groups import PUBLIC, WORK, burst, create, tip
from timbre import check, equal

CHANGED = "TIMSetGroupCounterChangedCallback"
BIG = 9007199254740993  # no double has it


def listed(**counters):
    return [{"group_counter_key": k, "group_counter_value": v} for k, v in counters.items()]


def plain(counters):
    return {c["group_counter_key"]: c["group_counter_value"] for c in counters}


def put(user, group, **counters):
    return plain(user.ok("TIMGroupSetGroupCounters", group, listed(**counters)).json)


def read(user, group, *keys):
    return plain(user.ok("TIMGroupGetGroupCounters", group, list(keys)).json)


def told(user, group, key, value, after=0):
    user.event(CHANGED, lambda e: e.args == [group, key, value], after, what="the counter %s %d" % (key, value))


def test_counters(t):
    a, b = t.users("alice", "bob")
    group = create(a, WORK, [b])
    equal(put(a, group, likes=3, big=BIG), {"likes": 3, "big": BIG}, "setting")
    for u in (a, b):
        told(u, group, "likes", 3)
        told(u, group, "big", BIG)
    equal(plain(b.ok("TIMGroupIncreaseGroupCounter", group, "likes", 4).json), {"likes": 7}, "adding")
    equal(plain(b.ok("TIMGroupDecreaseGroupCounter", group, "fresh", 2).json), {"fresh": -2}, "taking from nothing")
    for u in (a, b):
        told(u, group, "likes", 7)
        told(u, group, "fresh", -2)
    equal(read(a, group), {"likes": 7, "big": BIG, "fresh": -2}, "all")
    equal(len(a.ok("TIMGroupGetGroupCounters", group, "").json), 3, "all by an empty text")
    equal(read(a, group, "likes", "none"), {"likes": 7}, "one")


def test_added_at_the_same_time(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    calls = [u.begin("TIMGroupIncreaseGroupCounter", group, "n", 1) for _ in range(10) for u in (a, b)]
    values = sorted(plain(c.wait(code=0).json)["n"] for c in calls)
    equal(values, list(range(1, 21)), "each got a value of its own")
    for u in (a, b):
        told(u, group, "n", 20)


def test_errors(t):
    a, b = t.users("alice", "bob")
    group = create(a, WORK)
    check(a.ask("TIMGroupSetGroupCounters", group, listed(**{"k%d" % i: 1 for i in range(21)})).code in (6017, 10063), "21 counters")
    put(a, group, **{"k%d" % i: i for i in range(20)})
    equal(a.ask("TIMGroupIncreaseGroupCounter", group, "one more", 1).code, 10063, "a 21st counter")
    equal(b.ask("TIMGroupIncreaseGroupCounter", group, "k1", 1).code, 10007, "who is no member counts")
    equal(a.ask("TIMGroupIncreaseGroupCounter", group, "", 1).code, 6017, "no key")
    equal(a.ask("TIMGroupSetGroupCounters", group, []).code, 6017, "no counters")
    equal(a.ask("TIMGroupSetGroupCounters", group, [{"group_counter_key": "k"}]).code, 6017, "no number")
    equal(a.call("TIMGroupSetGroupCounters", group, {}).rc, -3, "an object")


def test_too_often(t):
    a = t.user("alice")
    group = create(a, WORK)
    equal(sorted(burst(lambda: a.begin("TIMGroupGetGroupCounters", group, []), 21)), [0] * 20 + [8516], "the codes")


def test_while_away(t):
    a, b = t.users("alice", "bob")
    group = create(a, WORK, [b])
    tip(b, group, 1)
    b.kill()
    put(a, group, n=5)
    mark = b.mark()
    b.again()
    told(b, group, "n", 5, mark)
