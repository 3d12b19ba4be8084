"""What an application sees of the link, event by event."""
import relays
import timbre
from timbre import CONNECTED, CONNECTING, CONNECT_FAILED, DISCONNECTED, check, equal, sig, text_elem, text_of

NETWORK, KICKED, EXPIRED = "TIMSetNetworkStatusListenerCallback", "TIMSetKickedOfflineCallback", "TIMSetUserSigExpiredCallback"


def told(client, after=0):
    """The statuses, with the code behind those that have one to tell."""
    return [e.args[0] if e.args[0] in (CONNECTED, CONNECTING) else (e.args[0], e.args[1]) for e in client.events(NETWORK, after)]


def tries(n, code=9511):
    return [CONNECTING, (CONNECT_FAILED, code)] * n


def test_server_down_at_init(t):
    """Each try is one Connecting and one ConnectFailed; a hint that the network changed makes the next one now."""
    server = t.own_server()
    server.stop()
    a = t.client("alice").init()
    a.until(lambda: len(a.log) >= 4, timbre.DEADLINE, "two tries")
    r = a.login_again()
    equal((r.code, r.desc), (9511, "%s refuses connections" % server.url), "a login meanwhile")
    got = told(a)
    equal(got[:len(got) // 2 * 2], tries(len(got) // 2), "tries")
    after = a.mark()
    server.start()
    equal(a.call("TIMExtNotifyNetworkChanged").rc, 0, "TIMExtNotifyNetworkChanged")
    a.network(CONNECTED, after=after)
    equal(told(a)[-2:], [CONNECTING, CONNECTED], "the end")
    a.login()
    equal(told(a)[-2:], [CONNECTING, CONNECTED], "after the login")


def test_server_killed_and_back(t):
    server = t.own_server()
    a = t.user("alice")
    after = a.mark()
    server.stop(hard=True)
    a.network(CONNECT_FAILED, after=after)
    again = a.mark()
    server.start()
    a.network(CONNECTED, after=after)
    a.finished(after=again)
    got = told(a, after)
    equal(got, [(DISCONNECTED, 9508)] + tries((len(got) - 3) // 2) + [CONNECTING, CONNECTED], "statuses")


def test_refused_login_keeps_the_link(t):
    a = t.client("alice").init()
    a.network(CONNECTED)
    equal(a.login_again(sig(a.name, secret="another")).code, 70005, "login with a wrong ticket")
    a.login()
    a.text(a.name, "x")
    equal(told(a), [CONNECTING, CONNECTED], "statuses")


def test_logout_rests_until_login(t):
    a = t.user("alice")
    after = a.mark()
    a.logout()
    equal(told(a, after), [(DISCONNECTED, 0)], "statuses when the logout calls back")
    equal(a.events(NETWORK, after)[0].args[2], "logged out", "why")
    a.login()
    equal(told(a, after), [(DISCONNECTED, 0), CONNECTING, CONNECTED], "statuses when the login calls back")


def test_another_user(t):
    a = t.user("alice")
    after = a.mark()
    second = t.name("second")
    equal(a.ask("TIMLogin", second, sig(second)).code, 0, "login of another user")
    equal(told(a, after), [(DISCONNECTED, 0), CONNECTING, CONNECTED], "statuses")


def test_kick(t):
    one = t.user("alice")
    after = one.mark()
    two = t.user("alice")
    one.event(KICKED)
    names = [e.name for e in one.events(after=after) if e.name in (NETWORK, KICKED)]
    equal(names, [NETWORK, KICKED], "events of the kicked device")
    equal(told(one, after), [(DISCONNECTED, 6208)], "its statuses")
    equal(one.login_again().code, 0, "login again")
    equal(told(one, after), [(DISCONNECTED, 6208), CONNECTING, CONNECTED], "statuses then")
    two.event(KICKED)


def test_ticket_runs_out(t):
    a = t.client("alice").init()
    a.network(CONNECTED)
    after = a.mark()
    a.login(timbre.usersig(a.name, "5s"))
    a.event(EXPIRED)
    equal([e.name for e in a.events(after=after) if e.name in (NETWORK, EXPIRED)], [NETWORK, EXPIRED], "events")
    equal(told(a, after), [(DISCONNECTED, 70001)], "statuses")


def test_uninit_is_silent(t):
    """The end of the library is not an event, and the next life begins as the first one."""
    a = t.user("alice")
    after = a.mark()
    equal(a.call("TIMUninit").rc, 0, "TIMUninit")
    equal(a.call("TIMExtNotifyNetworkChanged").rc, -1, "TIMExtNotifyNetworkChanged after TIMUninit")
    equal(told(a, after), [], "statuses at the end")
    a.start()
    equal(told(a, after), [CONNECTING, CONNECTED], "statuses of the second life")


def test_network_changed(t):
    """A connection that lives stays; a dead one is replaced long before a heartbeat would find it."""
    server = t.own_server()
    relay = relays.Relay(("127.0.0.1", server.port))
    t.defer(relay.close)
    a, b = t.user("alice", url=relay.url), t.user("bob")
    equal(a.call("TIMExtNotifyNetworkChanged").rc, 0, "TIMExtNotifyNetworkChanged")
    a.text(b.name, "lives")
    equal((told(a), relay.connections), ([CONNECTING, CONNECTED], 1), "a connection that lives")
    relay.answers.clear()
    after = a.mark()
    equal(a.call("TIMExtNotifyNetworkChanged").rc, 0, "TIMExtNotifyNetworkChanged")
    waiting = a.send(b.name, [text_elem("over the next one")])
    a.network(DISCONNECTED, after=after)
    relay.answers.set()
    waiting.wait(code=0)
    b.incoming("over the next one")
    got = told(a, after)
    equal((got[:2], got[-1]), ([(DISCONNECTED, 9508), CONNECTING], CONNECTED), "a dead connection")
    b.text(a.name, "end")
    b.incoming("over the next one")
    equal([text_of(m) for m in b.received()], ["lives", "over the next one"], "messages at bob")


def test_update_proxy_info(t):
    """Changed proxies count at once, for the link and for files; unchanged ones disturb nothing."""
    proxy = relays.Socks5()
    t.defer(proxy.close)
    server = t.own_server()
    a = t.user("alice")

    def use(host, port):
        after = a.mark()
        a.ok("TIMSetConfig", {"set_config_socks5_proxy_info": {"socks5_proxy_info_ip": host, "socks5_proxy_info_port": port}})
        equal(a.experiment("update_proxy_info").code, 0, "update_proxy_info")
        return after
    after = use("127.0.0.1", proxy.port)
    a.network(CONNECTED, after=after)
    equal(told(a, after), [(DISCONNECTED, 0), CONNECTING, CONNECTED], "statuses with a new proxy")
    equal(proxy.requests, [(1, "127.0.0.1", server.port)], "ways through the proxy")
    a.finished(after=after)
    a.text(a.name, "through the proxy")
    path = t.folder() + "/notes.txt"
    with open(path, "w") as f:
        f.write("notes")
    a.sent(a.name, [{"elem_type": timbre.FILE, "file_elem_file_path": path, "file_elem_file_name": "notes.txt", "file_elem_file_size": 5}])
    check(len(proxy.requests) > 1, "the file took another way")
    after = use("127.0.0.1", proxy.port)
    a.text(a.name, "nothing changed")
    equal(told(a, after), [], "statuses with the same proxy")
    after = use("", 0)
    a.network(CONNECTED, after=after)
    ways = len(proxy.requests)
    a.text(a.name, "straight")
    equal((told(a, after), len(proxy.requests)), ([(DISCONNECTED, 0), CONNECTING, CONNECTED], ways), "without a proxy")
    b = t.client("bob")
    equal(b.experiment("update_proxy_info").code, 0, "update_proxy_info before TIMInit")
