"""Attributes of groups: writing, conflicts, the event, and how often."""
import json

from groups import MEETING, PUBLIC, WORK, burst, create, tip
from timbre import check, equal

CHANGED = "TIMSetGroupAttributeChangedCallback"
CONFLICT, TOO_OFTEN = 10056, 8511


def listed(**attrs):
    return [{"group_attribute_key": k, "group_attribute_value": v} for k, v in attrs.items()]


def plain(attrs):
    for a in attrs:
        equal(a["group_atrribute_key"], a["group_attribute_key"], "the older spelling")
    return {a["group_attribute_key"]: a["group_attribute_value"] for a in attrs}


def write(user, group, how="Set", **attrs):
    return user.ask("TIMGroup%sGroupAttributes" % how, group, listed(**attrs)).code


def drop(user, group, *keys):
    return user.ask("TIMGroupDeleteGroupAttributes", group, list(keys)).code


def read(user, group, keys=""):
    return plain(user.ok("TIMGroupGetGroupAttributes", group, keys).json)


def told(user, group, attrs, after=0):
    """Waits until the event says that these are all attributes."""
    user.event(CHANGED, lambda e: e.args[0] == group and plain(json.loads(e.args[1])) == attrs, after, what="the attributes %r" % attrs)


def test_attributes(t):
    a, b = t.users("alice", "bob")
    group = create(a, WORK, [b])
    equal(write(a, group, topic="go", colour="红"), 0, "setting")
    for u in (a, b):
        told(u, group, {"topic": "go", "colour": "红"})
    equal(write(b, group, topic="rust"), 0, "a member sets one")
    for u in (a, b):
        told(u, group, {"topic": "rust", "colour": "红"})
    equal(read(a, group), {"topic": "rust", "colour": "红"}, "all")
    equal(read(a, group, json.dumps(["topic", "none"])), {"topic": "rust"}, "one")
    equal(drop(a, group, "topic"), 0, "deleting one")
    told(b, group, {"colour": "红"})
    equal(write(a, group, "Init", new="1"), 0, "beginning anew")
    told(b, group, {"new": "1"})
    equal(drop(b, group), 0, "deleting all")
    told(a, group, {})
    equal(read(b, group, "[]"), {}, "what is left")


def test_who_was_first(t):
    a, b = t.users("alice", "bob")
    group = create(a, PUBLIC, [b])
    equal(write(a, group, seat="empty"), 0, "setting")
    for u in (a, b):
        told(u, group, {"seat": "empty"})
    codes = sorted(c.wait().code for c in [u.begin("TIMGroupSetGroupAttributes", group, listed(seat=u.name)) for u in (a, b) for _ in range(2)])
    check(codes[0] == 0 and set(codes) <= {0, CONFLICT}, "the codes %r" % codes)
    final = read(a, group)
    equal(read(b, group), final, "both read the same")
    equal(write(b, group, seat="b"), 0, "who has read may write")


def test_limits_and_errors(t):
    a, b = t.users("alice", "bob")
    group = create(a, MEETING)
    check(write(a, group, **{"k%d" % i: "v" for i in range(17)}) in (10045, 10004), "17 attributes")
    check(write(a, group, **{"k" * 33: "v"}) != 0, "a long key was taken")
    check(write(a, group, k="v" * 4001) != 0, "a long value was taken")
    equal(write(b, group, k="v"), 10007, "who is no member writes")
    equal(a.ask("TIMGroupSetGroupAttributes", group, [{"group_attribute_value": "v"}]).code, 6017, "no key")
    equal(a.ask("TIMGroupSetGroupAttributes", group, []).code, 6017, "no attributes")
    equal(a.ask("TIMGroupSetGroupAttributes", group, {}).code, 6017, "an object")
    equal(a.ask("TIMGroupGetGroupAttributes", group, "{}").code, 6017, "keys that are an object")
    equal(a.ask("TIMGroupGetGroupAttributes", t.name("none"), "").code, 10010, "no group")


def test_too_often(t):
    a = t.user("alice")
    group = create(a, WORK)
    equal(sorted(burst(lambda: a.begin("TIMGroupGetGroupAttributes", group, ""), 21)), [0] * 20 + [TOO_OFTEN], "reads")
    writes = burst(lambda: a.begin("TIMGroupSetGroupAttributes", group, listed(k="v")), 11)
    equal(writes.count(TOO_OFTEN), 1, "writes that are too many")


def test_while_away(t):
    """What was written while a device was away is told when it comes back, and each device hears of it."""
    t.own_server(devices="all")
    a, b, b2 = t.user("alice"), t.user("bob"), t.user("bob")
    group = create(a, WORK, [b])
    tip(b2, group, 1)
    b2.kill()
    equal(write(a, group, k="v"), 0, "setting")
    told(b, group, {"k": "v"})
    mark = b2.mark()
    b2.again()
    told(b2, group, {"k": "v"}, mark)
    equal(write(b2, group, k="w"), 0, "the device that came back writes")
    told(b, group, {"k": "w"})
