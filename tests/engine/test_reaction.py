"""Reactions to messages: adding and removing, what is counted and shown, limits, pages, and who is told."""
from talks import MEETING, PUBLIC, WORK, talks, told_nothing
from timbre import ADD, APP, DEADLINE, GROUP, check, equal

CHANGED = "TIMSetMsgReactionsChangedCallback"
TOO_MANY, TOO_MANY_USERS, ALREADY, NONE, NOT_MINE = 23005, 23006, 23007, 23008, 23009


def add(side, message, reaction="thumb"):
    return side.client.ask("TIMMsgAddMessageReaction", message, reaction).code


def remove(side, message, reaction="thumb"):
    return side.client.ask("TIMMsgRemoveMessageReaction", message, reaction).code


def plain(reactions):
    """(id, total, users, by myself) of each."""
    return [(r["message_reaction_id"], r["message_reaction_total_user_count"],
             [u["user_profile_identifier"] for u in r["message_reaction_partial_user_info_array"]],
             r["message_reaction_reacted_by_myself"]) for r in reactions]


def reactions(side, message, users=10):
    r = side.client.ok("TIMMsgGetMessageReactions", [message], users).json[0]
    equal((r["message_reaction_result_code"], r["message_reaction_result_msg_id"]), (0, message["message_msg_id"]), "the result")
    return plain(r["message_reaction_result_reaction_list"])


def users(side, message, reaction="thumb", next_seq=0, count=100):
    r = side.client.ok("TIMMsgGetAllUserListOfMessageReaction", message, reaction, next_seq, count).json
    return ([u["user_profile_identifier"] for u in r["message_reaction_user_result_user_info_array"]],
            r["message_reaction_user_result_next_seq"], r["message_reaction_user_result_is_finished"])


def changes(side, message, after=0):
    return [x for e in side.client.events(CHANGED, after) for m in e.json()
            if m["message_reaction_change_info_msg_id"] == message["message_msg_id"]
            for x in plain(m["message_reaction_change_info_reaction_list"])]


def changed(side, message, want, after):
    """Waits for an event that says exactly this."""
    side.client.until(lambda: want in changes(side, message, after), DEADLINE, "the event %r at %s; there are %r" % (
        want, side.name, changes(side, message)))


def message(talk, text="react"):
    m = talk.a.text(text)
    for side in talk.all[1:]:
        side.client.incoming(text)
    return m


@talks(types=(WORK, PUBLIC, MEETING), restarts=True)
def test_reactions(t, talk):
    """Every device is told of each change, the acting one too, down to the last one's going."""
    m = message(talk)
    a, b = talk.a.name, talk.b.name
    talk.middle()
    for act, side, total, names in ((add, talk.b, 1, [b]), (add, talk.a, 2, [b, a]), (remove, talk.b2, 1, [a]),
                                    (add, talk.b2, 2, [a, b]), (remove, talk.a2, 1, [b]), (remove, talk.b, 0, [])):
        at = talk.marks()
        equal(act(side, m), 0, "the change")
        for other in talk.all:
            changed(other, m, ("thumb", total, names, other.name in names), at[other])
            equal(reactions(other, m), [("thumb", total, names, other.name in names)] if total else [], "the reactions")
        talk.middle()
    equal([side.last() for side in talk.all], ["react"] * 4, "the last message")


@talks()
def test_what_is_shown(t, talk):
    one, two, bare = message(talk, "one"), message(talk, "two"), message(talk, "bare")
    a, b = talk.a.name, talk.b.name
    for side, m, reaction in ((talk.a, one, "\U0001f44d"), (talk.b, one, "heart"), (talk.b, one, "\U0001f44d"), (talk.a, two, "heart")):
        equal(add(side, m, reaction), 0, "add")
    for side in (talk.a, talk.b, talk.fresh(talk.a)):
        r = side.client.ok("TIMMsgGetMessageReactions", [two, one, bare], 1).json
        equal([x["message_reaction_result_msg_id"] for x in r], [x["message_msg_id"] for x in (two, one, bare)], "the messages")
        equal([plain(x["message_reaction_result_reaction_list"]) for x in r],
              [[("heart", 1, [a], side.name == a)], [("\U0001f44d", 2, [a], True), ("heart", 1, [b], side.name == b)], []], "the reactions")
        equal(reactions(side, one, 0)[0][:3], ("\U0001f44d", 2, []), "without users")
        equal(users(side, one, "\U0001f44d", count=1)[2], False, "the first page of two")
        equal(sorted(users(side, one, "\U0001f44d")[0]), [a, b], "all users")
        equal(users(side, one, "none"), ([], 0, True), "users of a reaction that is none")


@talks()
def test_refused(t, talk):
    m = message(talk)
    equal((remove(talk.a, m), add(talk.b, m), add(talk.b2, m), remove(talk.a, m)), (NONE, 0, ALREADY, NOT_MINE), "the codes")
    for n in range(9):
        equal(add(talk.a if n % 2 else talk.b, m, "r%d" % n), 0, "a kind")
    changed(talk.a2, m, ("r8", 1, [talk.b.name], False), 0)
    at = talk.marks()
    equal(add(talk.a, m, "eleventh"), TOO_MANY, "one kind too many")
    equal(add(talk.a, m), 0, "a kind that is there")
    equal((remove(talk.b, m, "r0"), add(talk.b, m, "eleventh")), (0, 0), "room again")
    for code, id in ((6017, ""), (6017, "x" * 129)):
        equal(add(talk.a, m, id), code, "the id %r" % id)
    equal(add(talk.a, dict(m, message_msg_id="1-2-3", message_seq=0)), 6017, "an unknown message")
    equal(add(talk.a, dict(m, message_msg_id="1-2-3", message_seq=999)), 10030 if talk.kind == GROUP else 20022, "a number that is not there")
    for list, users, code in (([m] * 21, 0, 6017), ([m], 11, 6017), ([m] * 20, 10, 0)):
        equal(talk.a.client.ask("TIMMsgGetMessageReactions", list, users).code, code, "asking")
    changed(talk.a2, m, ("eleventh", 1, [talk.b.name], False), at[talk.a2])
    equal(len(changes(talk.a2, m, at[talk.a2])), 3, "changes of which others were told")
    equal(talk.a.ask("TIMMsgRevoke", m).code, 0, "revoke")
    equal((add(talk.b, m), reactions(talk.b, m)), (6017, []), "a revoked message")


@talks(GROUP)
def test_100_users(t, talk):
    """100 users of one reaction and no more; those who are not among the ten that events name know of their own all the same."""
    m = message(talk)
    equal(add(talk.a, m), 0, "the first")

    def crowd():
        talk.server.database("""WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<97)
            INSERT INTO account (app, name, created) SELECT ?, 'crowd-' || i, 0 FROM n""", APP)
        talk.server.database("""INSERT INTO reaction SELECT conv, seq, id, a.uid, time+1+substr(a.name, 7)
            FROM reaction, account a WHERE a.name LIKE 'crowd-%'""")
    talk.restarted(change=crowd)
    carol = t.user("carol")
    talk.a.client.ok("TIMGroupInviteMember", {"group_invite_member_param_group_id": talk.group,
                                              "group_invite_member_param_identifier_array": [carol.name]})
    carol.conv_event(ADD, talk.group)
    at = talk.marks()
    equal(add(talk.b, m), 0, "the hundredth")
    first = [talk.a.name] + ["crowd-%d" % n for n in range(9)]
    for side in talk.all:
        changed(side, m, ("thumb", 100, first, True), at[side])
        equal(reactions(side, m), [("thumb", 100, first, True)], "the reactions")
    equal(carol.ask("TIMMsgAddMessageReaction", dict(m, message_conv_id=talk.group), "thumb").code, 10030, "a message from before the joining")
    new = message(talk, "new")
    carol.incoming("new")
    equal(add(talk.a, new, "x"), 0, "another message")
    equal(carol.ask("TIMMsgAddMessageReaction", new, "x").code, 0, "of carol")
    seen, following = [], 0
    while True:
        page, following, finished = users(talk.a2, m, next_seq=following, count=30)
        check(len(page) == 30 or finished and len(page) == 10, "a page of %d" % len(page))
        seen += page
        if finished:
            break
    equal((len(seen), len(set(seen)), following), (100, 100, 0), "all users, each once")
    at = talk.marks()
    equal(remove(talk.a, m), 0, "one goes")
    for side in (talk.b, talk.b2):
        changed(side, m, ("thumb", 99, ["crowd-%d" % n for n in range(10)], True), at[side])
    changed(talk.a2, m, ("thumb", 99, ["crowd-%d" % n for n in range(10)], False), at[talk.a2])


@talks(GROUP)
def test_101st_user(t, talk):
    m = message(talk)
    equal(add(talk.a, m), 0, "the first")
    talk.restarted(change=lambda: talk.server.database("""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<99)
        INSERT INTO reaction SELECT conv, seq, id, 1000+i, time FROM reaction, n"""))
    equal(add(talk.b, m), TOO_MANY_USERS, "one user too many")
    equal(add(talk.b, m, "another"), 0, "another reaction")
    equal(remove(talk.a, m), 0, "one goes")
    equal(add(talk.b, m), 0, "room again")


@talks(restarts=True)
def test_while_away(t, talk):
    """Who comes back hears of what changed meanwhile, in order; who never saw the message is not told."""
    m = message(talk)
    talk.b2.client.logout()
    at = talk.marks()
    equal((add(talk.b, m), add(talk.a, m), remove(talk.b, m)), (0, 0, 0), "changes")
    late = talk.a.text("late")
    equal(add(talk.a, late), 0, "a reaction to what he never saw")
    talk.b2.client.login()
    a, b = talk.a.name, talk.b.name
    changed(talk.b2, m, ("thumb", 1, [a], False), at[talk.b2])
    equal(changes(talk.b2, m, at[talk.b2]), [("thumb", 1, [b], True), ("thumb", 2, [b, a], True), ("thumb", 1, [a], False)], "the events")
    talk.middle()
    equal((reactions(talk.b2, m), reactions(talk.b2, late)), ([("thumb", 1, [a], False)],) * 2, "the reactions")
    talk.b2.client.logout().login()
    equal(len(changes(talk.b2, m, at[talk.b2])), 3, "events after another login")


@talks(GROUP, members=["carol"])
def test_directed(t, talk):
    """Only those who may see a directed message hear of reactions to it."""
    m = talk.a.text("for bob", message_target_group_member_array=[talk.b.name])
    talk.b.client.incoming("for bob")
    at = talk.marks()
    equal(add(talk.b, m), 0, "add")
    for side in talk.all[:4]:
        changed(side, m, ("thumb", 1, [talk.b.name], side.name == talk.b.name), at[side])
    equal(add(talk.all[4], dict(m, message_conv_id=talk.group)), 10030, "who may not see it")
    told_nothing(talk, [talk.all[4]], CHANGED, at)
