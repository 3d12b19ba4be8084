"""What answers is not the server: the text says what it is, the code is fitting, and nobody is called without end."""
import strangers
import timbre
from strangers import Stranger, http, websocket
from test_tls import certificate
from timbre import CONNECTING, CONNECT_FAILED, check, equal, sig

NETWORK = "TIMSetNetworkStatusListenerCallback"


def meet(t, a, stranger, url, code, text):
    """A life of the library with this server: its first failure and its login."""
    t.defer(stranger.close)
    after = a.mark()
    a.init(ext_sdk_config_server_url=url)
    login = a.begin("TIMLogin", a.name, sig(a.name))
    e = a.network(CONNECT_FAILED, after=after)
    equal(e.args[1], code, "code of ConnectFailed at %s (%s)" % (url, e.args[2]))
    check(text in e.args[2] and url in e.args[2], "text of ConnectFailed: %r; want %r with %r" % (e.args[2], url, text))
    r = login.wait()
    equal(r.code, code, "code of the login at %s (%s)" % (url, r.desc))
    check(text in r.desc, "text of the login: %r, want %r" % (r.desc, text))
    equal(a.call("TIMUninit").rc, 0, "TIMUninit")
    statuses = [e.args[0] for e in a.events(NETWORK, after)]
    check(set(statuses) <= {CONNECTING, CONNECT_FAILED}, "statuses at %s: %r" % (url, statuses))
    begun = statuses.count(CONNECTING)
    check(stranger.dials <= begun + 1 <= 30, "%d dials and %d tries at %s" % (stranger.dials, begun, url))


def test_they_are_named(t):
    a = t.client("alice", server=None, url=None)
    tls = certificate(t.folder())
    portal = "sign-in page of the network"
    for serve, scheme, encrypted, code, text in (
            (http("200 OK"), "ws", None, 9508, portal),
            (http("302 Found", "Location: http://portal.test/welcome"), "ws", None, 9508, "http://portal.test/welcome"),
            (http("403 Forbidden"), "ws", None, 9508, portal),
            (http("404 Not Found"), "ws", None, 9508, portal),
            (http("502 Bad Gateway"), "ws", None, 9508, "not available behind its proxy"),
            (http("200 OK"), "wss", None, 9508, "does not speak TLS"),
            (http("200 OK"), "wss", tls, 9508, "certificate that is not trusted"),
            (lambda s: None, "ws", None, 9514, "closed the connection at once"),
            (websocket(strangers.echo), "ws", None, 9508, "no Timbre server"),
            (websocket(strangers.says('{"type":"welcome"}')), "ws", None, 9508, "no Timbre server")):
        stranger = Stranger(serve, encrypted)
        meet(t, a, stranger, stranger.url(scheme), code, text)


def test_plain_to_a_tls_server(t):
    cert, key = certificate(t.folder())
    server = t.own_server(options=["--tls-cert", cert, "--tls-key", key])
    r = t.client("alice", url=server.url).init().login_again()
    equal(r.code, 9508, "code (%s)" % r.desc)
    check("wants TLS: use wss://" in r.desc, "text %r" % r.desc)


def test_silent_one(t):
    a = t.client("alice", server=None, url=None)
    stranger = Stranger()
    meet(t, a, stranger, stranger.url(), 9510, "said nothing for 10 s")


def test_silent_websocket(t):
    a = t.client("alice", server=None, url=None)
    stranger = Stranger(websocket())
    meet(t, a, stranger, stranger.url(), 9510, "speaks WebSocket but does not answer")


test_silent_one.long = test_silent_websocket.long = True
