"""Login states and their codes, kicks and tickets."""
import os
import signal
import socket
import time

import timbre
from timbre import LOGINED, LOGINING, UNLOGINED, check, equal, sig

KICKED, EXPIRED = "TIMSetKickedOfflineCallback", "TIMSetUserSigExpiredCallback"


def login(client, user, ticket):
    return client.begin("TIMLogin", user, ticket)


def silent_port(t):
    """A port that accepts connections and never answers: a login there goes on for a while."""
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(50)
    t.defer(s.close)
    return "ws://127.0.0.1:%d" % s.getsockname()[1]


def freeze(t, server):
    """Stops the server's process until it gets a SIGCONT. On a busy machine its threads run on for a moment."""
    pid = server.process.pid
    os.kill(pid, signal.SIGSTOP)
    t.defer(lambda: server.process.poll() is None and os.kill(pid, signal.SIGCONT))
    deadline = time.monotonic() + timbre.DEADLINE
    while not all(state(pid, thread) == "T" for thread in os.listdir("/proc/%d/task" % pid)):
        check(time.monotonic() < deadline, "the server does not stop")


def state(pid, thread):
    with open("/proc/%d/task/%s/stat" % (pid, thread)) as f:
        return f.read().rsplit(")", 1)[1].split()[0]


def test_states_and_user_id(t):
    a = t.client("alice")
    equal((a.status(), a.user()), (UNLOGINED, ""), "state and user before TIMInit")
    a.init()
    equal((a.status(), a.user()), (UNLOGINED, ""), "state and user before the login")
    r = login(a, a.name, sig(a.name)).wait(code=0)
    equal((r.desc is not None, r.text), (True, ""), "the login's description and JSON")
    equal((a.status(), a.user()), (LOGINED, a.name), "state and user after the login")
    r = a.ok("TIMLogout")
    equal(r.text, "", "the logout's JSON")
    equal((a.status(), a.user()), (UNLOGINED, ""), "state and user after the logout")
    equal(a.ask("TIMLogout").code, 6014, "a second logout")
    a.login()
    equal((a.status(), a.user()), (LOGINED, a.name), "state and user after the second login")
    equal(a.call("TIMUninit").rc, 0, "TIMUninit")
    equal((a.status(), a.user()), (UNLOGINED, ""), "state and user after TIMUninit")
    equal(a.ask("TIMLogin", a.name, sig(a.name)).code, 6013, "login after TIMUninit")
    a.init().login()
    equal(a.user(), a.name, "user in the second life")


def test_second_login_while_one_runs_7501(t):
    a = t.client("alice", url=silent_port(t)).init()
    first = login(a, a.name, sig(a.name))
    equal(a.status(), LOGINING, "state while the login runs")
    equal(a.user(), "", "user while the login runs")
    login(a, a.name, sig(a.name)).wait(code=7501)
    login(a, "somebody", sig("somebody")).wait(code=7501)
    equal(first.callbacks, [], "callbacks of the first login")
    a.ok("TIMLogout")
    first.wait(code=6023)


def test_logout_while_logging_in_6023(t):
    a = t.client("alice", url=silent_port(t)).init()
    first = login(a, a.name, sig(a.name))
    out = a.begin("TIMLogout")
    first.wait(code=6023)
    out.wait(code=0)
    order = [e.name for e in a.events() if e.name.startswith("cb of")]
    equal(order, ["cb of TIMLogin", "cb of TIMLogout"], "order of the callbacks")
    equal(a.status(), UNLOGINED, "state afterwards")


def test_uninit_while_logging_in_7009(t):
    a = t.client("alice", url=silent_port(t)).init()
    first = login(a, a.name, sig(a.name))
    equal(a.call("TIMUninit").rc, 0, "TIMUninit")
    first.wait(code=7009)


def test_second_logout_7502(t):
    a = t.user("alice")
    first = a.begin("TIMLogout")
    second = a.begin("TIMLogout").wait()
    first.wait(code=0)
    check(second.code in (7502, 6014), "the second logout got %r; 7502, or 6014 when the first was quicker" % second)


def test_second_logout_7502_certain(t):
    """The server does not answer the first logout, so that the second comes while it runs."""
    server = t.own_server()
    a = t.user("alice")
    freeze(t, server)
    first = a.begin("TIMLogout")
    equal(a.status(), timbre.LOGOUTING, "state while the logout runs")
    a.begin("TIMLogout").wait(code=7502)
    begun = time.monotonic()
    first.wait(code=0)
    check(time.monotonic() - begun < 20, "a logout without a server took %.1f s" % (time.monotonic() - begun))
    equal(a.status(), UNLOGINED, "state afterwards")


def test_bad_user_ids_7003(t):
    a = t.client("alice").init()
    for user in ["x" * 33, "b\u00f6se", "tab\there", "", "new\nline"]:
        login(a, user, sig("alice")).wait(code=7003)
        equal(a.status(), UNLOGINED, "state after 7003 for %r" % user)
    equal(a.call("TIMLogin", None, "x").rc, -4, "TIMLogin without a user id")
    equal(a.call("TIMLogin", "x", None).rc, -4, "TIMLogin without a ticket")


def test_expired_ticket_6206(t):
    a = t.client("alice").init()
    login(a, a.name, sig(a.name, expire=10, now=int(time.time()) - 100)).wait(code=6206)
    a.event(EXPIRED)
    equal(len(a.events(EXPIRED)), 1, "expired events")
    equal((a.status(), a.user()), (UNLOGINED, ""), "state and user")
    a.login()


def test_bad_tickets_70001_to_70016(t):
    a = t.client("alice").init()
    good = sig(a.name)
    cases = [("", 70002, "an empty ticket"), ("rubbish", 70003, "no ticket at all"), (good[:40], 70003, "half a ticket"),
             (sig(a.name, secret="another"), 70005, "another secret"), (sig("somebody"), 70013, "another user's ticket"),
             (sig(a.name, app=timbre.APP + 1), 70014, "another app's ticket")]
    for ticket, code, what in cases:
        r = login(a, a.name, ticket).wait()
        equal(r.code, code, what)
        equal((a.status(), a.user()), (UNLOGINED, ""), "state after " + what)
    a.login(timbre.usersig(a.name))
    equal(a.status(), LOGINED, "state after the good ticket")


def test_unknown_app_70020(t):
    """An app id that the server does not serve: 70020, or 70016 (no key for it)."""
    a = t.client("alice")
    a.init(app=1400009999)
    r = login(a, a.name, sig(a.name, app=1400009999)).wait()
    check(r.code in (70020, 70016), "login to an unknown app got %r" % r)


def test_expired_at_the_server_70001(t):
    """The ticket is good when the client looks at it and has expired when the server does."""
    server = t.own_server()
    a = t.client("alice").init()
    a.network(timbre.CONNECTED)
    freeze(t, server)
    now = int(time.time())
    call = login(a, a.name, sig(a.name, expire=5, now=now))
    time.sleep(max(0, now + 6.1 - time.time()))  # the ticket's own time, nothing is waited for
    os.kill(server.process.pid, signal.SIGCONT)
    call.wait(code=70001)
    a.event(EXPIRED)
    equal((a.status(), a.user()), (UNLOGINED, ""), "state and user")
    a.login()


def test_another_user_logs_the_first_out(t):
    a, peer = t.users("alice", "peer")
    second = t.name("second")
    pending = a.send(peer.name, [timbre.text_elem("from the first")])
    r = login(a, second, sig(second)).wait()
    equal(r.code, 0, "login of the second user")
    equal((a.status(), a.user()), (LOGINED, second), "state and user")
    outcome = pending.wait()
    check(outcome.code in (0, 6014), "the first user's send got %r" % outcome)
    equal([m["message_sender"] for m in [a.text(peer.name, "from the second")]], [second], "sender")
    m = peer.incoming("from the second")
    equal(m["message_sender"], second, "the sender at the peer")
    equal(a.texts(peer.name), ["from the second"], "the second user's history")


def test_order_of_callbacks_at_a_switch(t):
    """What is pending for the first user ends before the second one's login does; nothing for the one reaches the other;
    what came for the first meanwhile is there at his next login."""
    server = t.own_server()
    a, peer = t.users("alice", "peer")
    first, second = a.name, t.name("second")
    a.text(peer.name, "hello")
    freeze(t, server)
    after = a.mark()
    sends = [a.send(peer.name, [timbre.text_elem("pending %d" % i)]) for i in range(5)]
    switch = login(a, second, sig(second))
    for s in sends:
        s.wait(code=6014)
    equal(a.user(), "", "the user in between")
    os.kill(server.process.pid, signal.SIGCONT)
    switch.wait(code=0)
    equal((a.status(), a.user()), (LOGINED, second), "state and user")
    names = [e.name for e in a.events(after=after) if e.name in ("cb of TIMMsgSendMessage", "cb of TIMLogin")]
    equal(names, ["cb of TIMMsgSendMessage"] * 5 + ["cb of TIMLogin"], "the order of the callbacks")
    equal(a.events(KICKED, after) + a.events(EXPIRED, after), [], "sessions lost")

    after = a.mark()
    peer.text(first, "to the first")
    peer.text(second, "to the second")
    a.incoming("to the second", after=after)
    equal([e for e in a.events("TIMAddRecvNewMsgCallback", after) if "to the first" in str(e.args)], [], "the first user's message")
    equal(login(a, first, sig(first)).wait().code, 0, "login of the first user")
    a.incoming("to the first", after=after)
    equal(a.texts(peer.name)[0], "to the first", "the newest message of the first user")


def test_same_user_at_once(t):
    a = t.user("alice")
    after = a.mark()
    r = a.login_again()
    equal((r.code, r.text), (0, ""), "login of the user who is logged in")
    equal(a.status(), LOGINED, "state")
    equal(a.events("TIMSetConvEventCallback", after), [], "conversation events of a repeated login")
    equal(a.login_again("not even a ticket").code, 0, "with any ticket")


def test_login_without_server_then_cache(t):
    """The server is down: the login fails, lists and history answer from that user's cache (spec 1.6)."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    for i in range(3):
        a.text(b.name, "cached %d" % i)
    a.logout()
    equal(a.call("TIMUninit").rc, 0, "TIMUninit")
    server.stop()
    a.init()
    for call in (("TIMConvGetConvList",), ("TIMMsgGetMsgList", b.name, 1, {"msg_getmsglist_param_count": 10})):
        equal(a.ask(*call).code, 6014, "%s before any login" % call[0])
    begun = time.monotonic()
    r = a.ask("TIMLogin", a.name, sig(a.name))
    check(9508 <= r.code <= 9525, "login without a server got %r" % r)
    check(time.monotonic() - begun < 14, "the refused connection took %.1f s to fail the login" % (time.monotonic() - begun))
    equal((a.status(), a.user()), (UNLOGINED, ""), "state and user after the failure")
    equal([c["conv_id"] for c in a.conversations()], [b.name], "the cached conversations")
    for cloud in (False, True):
        equal(a.texts(b.name, cloud=cloud), ["cached 2", "cached 1", "cached 0"], "cached history, cloud %s" % cloud)
    r = a.ask("TIMMsgSendMessage", b.name, 1, {"message_elem_array": [timbre.text_elem("x")]})
    equal(r.code, 6014, "a send without a user")
    server.start()
    a.login()
    a.text(b.name, "and on")
    equal(a.texts(b.name), ["and on", "cached 2", "cached 1", "cached 0"], "history after the login")


def test_other_user_has_no_cache_of_the_first(t):
    server = t.own_server()
    a, b = t.users("alice", "bob")
    a.text(b.name, "secret")
    a.logout()
    server.stop()
    other = t.name("other")
    r = a.ask("TIMLogin", other, sig(other))
    check(r.code != 0, "login without a server succeeded")
    equal(a.conversations(), [], "the other user's conversations")
    equal(a.history(b.name), [], "the other user's history")


def test_kick_by_second_device(t):
    one = t.user("alice")
    two = t.user("alice")
    one.event(KICKED)
    equal((one.status(), one.user()), (UNLOGINED, ""), "state and user of the kicked device")
    equal(one.ask("TIMConvGetTotalUnreadMessageCount").code, 6014, "a call on the kicked device")
    equal(two.status(), LOGINED, "state of the second device")
    equal(one.login_again().code, 0, "the kicked device logs in again")
    two.event(KICKED)
    equal(two.status(), UNLOGINED, "state of the second device")
    equal((len(one.events(KICKED)), len(two.events(KICKED))), (1, 1), "kicked events")


def test_offline_kick_6208(t):
    folder = t.folder()
    one = t.user("alice", folder=folder)
    one.kill()
    two = t.user("alice")
    again = t.client("alice", folder=folder).init()
    r = again.login_again()
    equal(r.code, 6208, "first login of the device that was displaced while away")
    equal((again.status(), again.user()), (UNLOGINED, ""), "state and user")
    equal(two.status(), LOGINED, "state of the second device after the refused login")
    equal(again.login_again().code, 0, "second login")
    two.event(KICKED)
    equal(two.status(), UNLOGINED, "state of the second device")


def test_no_6208_after_logout(t):
    folder = t.folder()
    one = t.user("alice", folder=folder)
    one.logout()
    one.close()
    t.user("alice")
    again = t.client("alice", folder=folder).init()
    equal(again.login_again().code, 0, "login of a device that had logged out")


def test_devices_all_kicks_nobody(t):
    t.own_server(devices="all")
    one, two = t.user("alice"), t.user("alice")
    b = t.user("bob")
    b.text(one.name, "to both")
    one.incoming("to both")
    two.incoming("to both")
    equal([c.events(KICKED) for c in (one, two)], [[], []], "kicked events")


def test_ticket_expires_while_online(t):
    a = t.client("alice").init()
    begun = time.monotonic()
    equal(a.login_again(timbre.usersig(a.name, "5s")).code, 0, "login with a short ticket")
    a.event(EXPIRED)
    check(time.monotonic() - begun > 3.5, "the ticket of 5 s ended after %.1f s" % (time.monotonic() - begun))
    equal((a.status(), a.user()), (UNLOGINED, ""), "state and user after the expiry")
    equal(len(a.events(EXPIRED)), 1, "expired events")
    equal(a.ask("TIMConvGetTotalUnreadMessageCount").code, 6014, "a call afterwards")
    a.login()


def test_pending_calls_at_logout_6014(t):
    """What the server has not answered when the user logs out ends with 6014, before the logout's own callback."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    server.stop(hard=True)
    a.network(timbre.DISCONNECTED)
    sends = [a.send(b.name, [timbre.text_elem(str(i))]) for i in range(15)]
    out = a.begin("TIMLogout")
    for s in sends:
        s.wait(code=6014)
    out.wait(code=0)
    names = [e.name for e in a.events() if e.name.startswith("cb of TIMMsg") or e.name == "cb of TIMLogout"]
    equal(names, ["cb of TIMMsgSendMessage"] * 15 + ["cb of TIMLogout"], "order of the callbacks")


def test_login_logout_fifty_times(t):
    """Logins right behind TIMInit and logouts: every login succeeds and no session is lost on the way."""
    a = t.client("alice")
    for i in range(25):
        a.init()
        r = a.login_again()
        equal(r.code, 0, "login %d (%s)" % (i, r.desc))
        if i % 2:
            a.logout()
            equal(a.login_again().code, 0, "login %d after the logout" % i)
        equal(a.call("TIMUninit").rc, 0, "TIMUninit")
    equal(a.events(EXPIRED) + a.events(KICKED), [], "sessions lost")
