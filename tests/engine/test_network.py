"""The link: its events, cuts, deadlines, proxies, and where it leads."""
import os
import socket
import subprocess
import sys
import time

import relays
import timbre
from timbre import CONNECTED, CONNECTING, CONNECT_FAILED, DISCONNECTED, check, equal, sig, text_elem, text_of

NETWORK = "TIMSetNetworkStatusListenerCallback"


def statuses(client, after=0):
    return [e.args[0] for e in client.events(NETWORK, after)]


def between(t, server):
    r = relays.Relay(("127.0.0.1", server.port))
    t.defer(r.close)
    return r


def test_connects_from_init_on(t):
    a = t.client("alice").init()
    a.network(CONNECTED)
    equal(statuses(a), [CONNECTING, CONNECTED], "network events after TIMInit")


def test_events_in_order_over_an_outage(t):
    server = t.own_server()
    a = t.user("alice")
    equal(statuses(a), [CONNECTING, CONNECTED], "events up to the login")
    names = [(e.name, e.args[0]) for e in a.events() if e.name != "cb of TIMLogin"]
    equal(names[-2:], [("TIMSetConvEventCallback", timbre.START), ("TIMSetConvEventCallback", timbre.FINISH)], "the last events")
    after = a.mark()
    server.stop()
    e = a.network(DISCONNECTED)
    equal((e.args[1], type(e.args[2])), (9508, str), "code and text of Disconnected")
    e = a.network(CONNECT_FAILED)
    equal(e.args[1], 9511, "code of ConnectFailed (%s)" % e.args[2])
    equal((a.status(), a.user()), (timbre.LOGINED, a.name), "the user stays logged in")
    again = a.mark()
    server.start()
    a.network(CONNECTED, after=again)
    a.finished(after=again)
    got = statuses(a, after)
    equal((got[0], got[1], got[-2:]), (DISCONNECTED, CONNECTING, [CONNECTING, CONNECTED]), "ends of the events")
    middle = got[1:]
    equal(middle, [CONNECTING, CONNECT_FAILED] * (len(middle) // 2 - 1) + [CONNECTING, CONNECTED], "events of the outage")


def test_server_is_not_there(t):
    a = t.client("alice", url="ws://127.0.0.1:1").init()
    e = a.network(CONNECT_FAILED)
    equal(e.args[1], 9511, "code (%s)" % e.args[2])
    b = t.client("bob", url="ws://no-such-host.invalid:7800").init()
    e = b.network(CONNECT_FAILED)
    check(e.args[1] in (9516, 9510, 9508), "code of an unknown host: %r" % e.args)


def test_restart_of_the_server(t):
    """Messages sent meanwhile arrive, own sends during the outage are delivered, nobody logs in again."""
    server = t.own_server()
    a, b, c = t.users("alice", "bob", "carol")
    a.text(b.name, "before")
    b.incoming("before")
    cut = between(t, server)
    d = t.user("dave", url=cut.url)  # goes through a relay, so that it can be away alone
    cut.close()
    d.network(DISCONNECTED)
    c.text(d.name, "while dave is away")
    pending = [a.send(b.name, [text_elem("in flight %d" % i)]) for i in range(5)]
    server.stop()
    pending += [a.send(b.name, [text_elem("in flight %d" % i)]) for i in range(5, 25)]
    server.start()
    for p in pending:
        p.wait(code=0)
    b.incoming("in flight 24")
    equal([text_of(m) for m in b.received()], ["before"] + ["in flight %d" % i for i in range(25)], "messages at bob")
    equal((a.status(), b.status()), (1, 1), "states")
    b.text(a.name, "answer")
    a.incoming("answer")
    want = ["answer"] + ["in flight %d" % i for i in range(24, -1, -1)] + ["before"]
    for one, other in ((a, b), (b, a)):
        equal(one.texts(other.name, 100), want, "history of " + one.name)
    fresh = t.user("dave")
    fresh.incoming("while dave is away")


def test_catches_up_after_a_cut(t):
    server = t.own_server()
    relay = between(t, server)
    a, b = t.user("alice", url=relay.url), t.user("bob")
    relay.answers.clear()
    for i in range(10):
        b.text(a.name, "missed %d" % i)
    after = a.mark()
    relay.cut()
    relay.answers.set()
    a.incoming("missed 9")
    a.finished(after=after)
    equal([text_of(m) for m in a.received()], ["missed %d" % i for i in range(10)], "messages after the cut")
    kinds = [k for k, _ in a.conv_events(after)]
    equal((kinds[0], kinds[-1]), (timbre.START, timbre.FINISH), "conversation events after the reconnect: %r" % kinds)


def test_twenty_cuts_while_sending(t):
    server = t.own_server()
    relay = between(t, server)
    a, b = t.user("alice", url=relay.url), t.user("bob")
    calls = []
    for i in range(100):
        calls.append(a.send(b.name, [text_elem("%d" % i)]))
        if i % 5 == 4:
            calls[-5].wait()
            relay.cut()
    for c in calls:
        c.wait(code=0)
    got = [text_of(m) for m in b.incoming_count(100)]
    equal(got, [str(i) for i in range(100)], "messages at bob")
    equal(list(reversed(a.texts(b.name, 200))), got, "alice's history")


def test_deadline_without_network_9523_9518(t):
    """No connection: what waits in the link ends with 9523, what never left its queue with 9518."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    server.stop()
    a.network(DISCONNECTED)
    a.packet_timeout(8)  # these fill the lane's window
    first = [a.send(b.name, [text_elem(str(i))]) for i in range(10)]
    a.ok("TIMMsgFindMessages", [c.out["message_id_buffer"] for c in first])  # reads wait for what was accepted before
    a.packet_timeout(1)  # and these never leave the queue
    begun = time.monotonic()
    others = [a.send(b.name, [text_elem(str(i))]) for i in range(10, 14)]
    equal([c.wait().code for c in others], [9518] * 4, "codes of those in the queue")
    check(0.8 < time.monotonic() - begun, "the deadlines of 1 s took %.1f s" % (time.monotonic() - begun))
    equal([c.wait().code for c in first], [9523] * 10, "codes of those that had left the queue")
    equal({m["message_status"] for m in a.history(b.name, cloud=False)}, {timbre.FAILED}, "status in the history")


def test_deadline_of_the_answer_9520_then_update(t):
    """Written, the connection stands, no answer: 9520. The server has it: the row turns to sent, the update event tells,
    and a repeat of the message does not double it."""
    server = t.own_server()
    relay = between(t, server)
    a, b = t.user("alice", url=relay.url), t.user("bob")
    a.packet_timeout(1)
    relay.answers.clear()
    r = a.send(b.name, [text_elem("late answer")]).wait()
    equal(r.code, 9520, "a send whose answer does not come (%s)" % r.desc)
    equal(r.json["message_status"], timbre.FAILED, "its status")
    a.packet_timeout(30)  # the rest is in no hurry
    b.incoming("late answer")
    relay.answers.set()
    e = a.event("TIMSetMsgUpdateCallback")
    equal([(m["message_msg_id"], m["message_status"]) for m in e.json()], [(r.json["message_msg_id"], timbre.SENT)],
          "what the update event says")
    equal([m["message_status"] for m in a.history(b.name)], [timbre.SENT], "status in the history")
    again = a.ask("TIMMsgSendMessage", b.name, 1, r.json)
    equal((again.code, again.json["message_status"]), (0, timbre.SENT), "the repeat")
    a.text(b.name, "end")
    b.incoming("end")
    equal([text_of(m) for m in b.received()], ["late answer", "end"], "messages at bob")


def test_deadline_of_the_answer_no_network_9524(t):
    server = t.own_server()
    relay = between(t, server)
    a, b = t.user("alice", url=relay.url), t.user("bob")
    a.packet_timeout(6)
    relay.answers.clear()
    call = a.send(b.name, [text_elem("x")])
    b.incoming("x")  # so it was written
    relay.close()
    a.network(DISCONNECTED)
    equal(call.wait().code, 9524, "written, and then the network was gone")


def test_retries_after_lost_answers_do_not_double(t):
    """The answers of the sends are lost with the connection: the link writes them again, the server knows the keys."""
    server = t.own_server()
    relay = between(t, server)
    a, b = t.user("alice", url=relay.url), t.user("bob")
    relay.answers.clear()
    calls = [a.send(b.name, [text_elem(str(i))]) for i in range(10)]
    b.incoming("9")
    relay.cut()
    relay.answers.set()
    for c in calls:
        equal(c.wait(code=0).json["message_status"], timbre.SENT, "status")
    a.text(b.name, "end")
    b.incoming("end")
    equal([text_of(m) for m in b.received()], [str(i) for i in range(10)] + ["end"], "messages at bob")


def test_keep_trying(t):
    """With ext_set_config_keep_trying a send outlives its deadline and the outage."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    a.packet_timeout(1)
    a.ok("TIMSetConfig", {"ext_set_config_keep_trying": True})
    server.stop()
    a.network(DISCONNECTED)
    kept = a.send(b.name, [text_elem("patient")])
    time.sleep(1.5)  # past the deadline that it must not have
    equal(kept.callbacks, [], "callbacks during the outage")
    server.start()
    kept.wait(code=0)
    b.incoming("patient")


def test_keep_trying_survives_a_logout(t):
    """The caller hears 6014 at the logout, the message goes out after the next login."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    a.ok("TIMSetConfig", {"ext_set_config_keep_trying": True})
    server.stop()
    a.network(DISCONNECTED)
    waiting = [a.send(b.name, [text_elem("patient %d" % i)]) for i in range(15)]  # more than the lane's window
    a.logout()
    for call in waiting:
        call.wait(code=6014)
    server.start()
    a.login()
    for i in range(15):
        b.incoming("patient %d" % i)
    equal([x for x in a.texts(b.name, 30)], ["patient %d" % i for i in reversed(range(15))], "alice's history")


def through(t, proxy, **config):
    """A user whose way to a server of his own leads through the proxy."""
    server = t.own_server()
    t.defer(proxy.close)
    a = t.client("alice")
    a.ok("TIMSetConfig", config)
    return server, a


def test_socks5_proxy(t):
    proxy = relays.Socks5()
    server, a = through(t, proxy, set_config_socks5_proxy_info={
        "socks5_proxy_info_ip": "127.0.0.1", "socks5_proxy_info_port": proxy.port})
    a.start()
    a.text(a.name, "by socks")
    equal((proxy.connections, proxy.requests), (1, [(1, "127.0.0.1", server.port)]), "connections through the proxy")


def test_socks5_proxy_with_password(t):
    proxy = relays.Socks5("me", "secret")
    settings = {"socks5_proxy_info_ip": "127.0.0.1", "socks5_proxy_info_port": proxy.port,
                "socks5_proxy_info_username": "me", "socks5_proxy_info_password": "wrong"}
    server, a = through(t, proxy, set_config_socks5_proxy_info=settings)
    a.init()
    a.network(CONNECT_FAILED)
    equal(proxy.connections, 0, "connections with a wrong password")
    a.call("TIMUninit")
    a.ok("TIMSetConfig", {"set_config_socks5_proxy_info": dict(settings, socks5_proxy_info_password="secret")})
    a.start()
    equal(proxy.connections, 1, "connections with the right password")


def test_http_proxy(t):
    proxy = relays.HTTPProxy("me", "secret")
    server, a = through(t, proxy, set_config_http_proxy_info={
        "http_proxy_info_ip": "127.0.0.1", "http_proxy_info_port": proxy.port,
        "http_proxy_info_username": "me", "http_proxy_info_password": "secret"})
    a.start()
    a.text(a.name, "by http")
    equal((proxy.connections, proxy.requests[-1]), (1, ("CONNECT", "127.0.0.1:%d" % server.port)), "what the proxy saw")
    a.call("TIMUninit")
    a.ok("TIMSetConfig", {"set_config_http_proxy_info": {"http_proxy_info_ip": "", "http_proxy_info_port": 0}})
    a.start()
    equal(proxy.connections, 1, "connections after the proxy was cleared")


def test_server_address_precedence(t):
    """TIM_SERVER_URL, then set_custom_server_info, then ext_sdk_config_server_url."""
    server = t.own_server()
    one, two, three = [between(t, server) for _ in range(3)]

    def custom(c, relay):
        r = c.experiment("set_custom_server_info", request_set_custom_server_info_param={
            "longconnection_address_array": [{"server_address_ip": "127.0.0.1", "server_address_port": relay.port}]})
        equal(r.code, 0, "set_custom_server_info (%s)" % r.desc)

    def used():
        return [r.connections for r in (one, two, three)]
    a = t.client("a", url=one.url)
    custom(a, two)
    a.init(ext_sdk_config_server_url=three.url).login()
    equal(used(), [1, 0, 0], "connections with all three")
    b = t.client("b", server=None, url=None)
    custom(b, two)
    b.init(ext_sdk_config_server_url=three.url).login()
    equal(used(), [1, 1, 0], "connections without the environment")
    c = t.client("c", server=None, url=None)
    c.init(ext_sdk_config_server_url=three.url).login()
    equal(used(), [1, 1, 1], "connections with the TIMInit's key alone")


def test_silent_server_is_noticed(t):
    """A connection that goes deaf without an end: a login over it fails with a code, the state is right again."""
    server = t.own_server()
    relay = between(t, server)
    relay.answers.clear()
    a = t.client("alice", url=relay.url).init()
    r = a.ask("TIMLogin", a.name, sig(a.name))
    check(9508 <= r.code <= 9525, "login over a deaf connection got %r" % r)
    equal(a.status(), timbre.UNLOGINED, "state")
    relay.answers.set()
    relay.cut()
    equal(a.login_again().code, 0, "login afterwards")


test_silent_server_is_noticed.long = True


def test_environment_set_by_the_program_itself(t):
    """A program may set TIM_SERVER_URL after it has loaded the library: Go alone would not see it."""
    listener = socket.create_server(("127.0.0.1", 0))
    t.defer(listener.close)
    listener.settimeout(timbre.DEADLINE)
    program = ("import ctypes, os, sys; lib = ctypes.CDLL(sys.argv[1]); os.environ['TIM_SERVER_URL'] = sys.argv[2]; "
               "lib.TIMInit.argtypes = [ctypes.c_uint64, ctypes.c_char_p]; lib.TIMInit(1, None); sys.stdin.read(); lib.TIMUninit()")
    env = {k: v for k, v in os.environ.items() if k != "TIM_SERVER_URL"}
    p = subprocess.Popen([sys.executable, "-c", program, timbre.library_path(), "ws://127.0.0.1:%d" % listener.getsockname()[1]],
                         stdin=subprocess.PIPE, env=env, cwd=t.folder())
    try:
        connection, _ = listener.accept()
        connection.close()
    finally:
        p.stdin.close()
        equal(p.wait(timbre.DEADLINE), 0, "status of the program")
