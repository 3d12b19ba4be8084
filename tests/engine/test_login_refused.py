"""A session that the server does not take back after a cut."""
import relays
import strangers
import timbre
from timbre import CONNECTED, CONNECTING, DISCONNECTED, LOGINED, UNLOGINED, check, equal, text_elem

from test_network_states import EXPIRED, KICKED, NETWORK, told


def cut(a, relay, refusal):
    relay.refusal = refusal
    after = a.mark()
    relay.cut()
    return after


def ended(a, after, event, code):
    a.event(event, after=after)
    equal(told(a, after), [(DISCONNECTED, 9508), CONNECTING, CONNECTED, (DISCONNECTED, code)], "statuses after %d" % code)
    equal([e.name for e in a.events(after=after) if e.name in (EXPIRED, KICKED)], [event], "events after %d" % code)
    equal((a.status(), a.user()), (UNLOGINED, ""), "state and user after %d" % code)


def test_for_good(t):
    """Blocked, revoked, expired, unknown app, another version, kicked: the session ends with the code and one event, logins
    tell the same, and when the reason has gone the user is back."""
    server = t.own_server()
    relay = strangers.Refuser(("127.0.0.1", server.port))
    t.defer(relay.close)
    a, b = t.user("alice", url=relay.url), t.user("bob")
    for code, shown, event in ((70051, 70051, EXPIRED), (70052, 70052, EXPIRED), (70001, 70001, EXPIRED), (70020, 70020, EXPIRED),
                               (1001, 7013, EXPIRED), (6208, 6208, KICKED)):
        after = cut(a, relay, (code, "because"))
        ended(a, after, event, shown)
        equal(a.events(NETWORK, after)[-1].args[2][-7:], "because", "the server's words")
        r = a.login_again()
        equal((r.code, a.status()), (shown, UNLOGINED), "a login while it is refused (%s)" % r.desc)
        relay.refusal = None
        relay.cut()  # as far as the server knows the connection has logged in
        a.login()
        a.text(b.name, "after %d" % code)
        b.incoming("after %d" % code)


def test_for_now(t):
    """A server that is busy or fails inside is asked again; nothing of it is seen."""
    server = t.own_server()
    relay = strangers.Refuser(("127.0.0.1", server.port))
    t.defer(relay.close)
    a, b = t.user("alice", url=relay.url), t.user("bob")
    for code in (1003, 1004):
        before = relay.refused
        after = cut(a, relay, (code, "busy"))
        waiting = a.send(b.name, [text_elem("patient %d" % code)])
        server.swept(lambda: relay.refused > before)
        relay.refusal = None
        relay.cut()
        waiting.wait(code=0)
        b.incoming("patient %d" % code)
        equal(a.status(), LOGINED, "state")
        equal([e for e in a.events(after=after) if e.name in (EXPIRED, KICKED)], [], "events")


def test_kicked_while_cut_off(t):
    """Another device logs in while the connection is away: the session is not taken back."""
    server = t.own_server()
    relay = relays.Relay(("127.0.0.1", server.port))
    t.defer(relay.close)
    one = t.user("alice", url=relay.url)
    server.stop()
    one.network(DISCONNECTED)
    relay.cut()
    relay.answers.clear()  # it comes back to a server that does not answer yet
    server.start()
    two = t.user("alice")
    after = one.mark()
    relay.cut()
    relay.answers.set()
    one.event(KICKED)
    check((DISCONNECTED, 6208) in told(one, after), "statuses %r" % told(one, after))
    equal((one.status(), two.status()), (UNLOGINED, LOGINED), "states")


def test_another_secret(t):
    """The operator changed the app's secret: the ticket is worth nothing any more."""
    server = t.own_server()
    a = t.user("alice")
    after = a.mark()
    server.stop()
    a.network(DISCONNECTED, after=after)
    secret, timbre_secret = "f" * 64, timbre.SECRET
    server.options = ["--app", "%d:%s" % (timbre.APP, secret)]
    server.start()
    a.event(EXPIRED, after=after)
    equal(told(a, after)[-1], (DISCONNECTED, 70005), "the last status")
    equal(a.login_again().code, 70005, "login with the old ticket")
    check(timbre_secret != secret, "the secrets")
    a.login(timbre.sig(a.name, secret=secret))
