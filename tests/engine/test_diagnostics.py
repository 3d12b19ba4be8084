"""TIMExtGetDiagnostics: what the library says of itself, and one request found in both logs."""
import glob
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request

import files
import relays
import timbre
from timbre import CONNECTED, CONNECT_FAILED, LOGINED, UNLOGINED, check, equal, poll as until, text_elem

ROOT = timbre.ROOT


def diagnostics(client):
    return plain(client.ok("TIMExtGetDiagnostics").json)


def plain(value, prefix="ext_diagnostics_"):
    """Keys without what they all begin with: {"outbox": {"depth": 0}}."""
    out = {}
    for key, v in value.items():
        name = key[len(prefix):]
        if isinstance(v, dict):
            inner = next(iter(v)).rsplit("ext_diagnostics_times_", 1)
            v = plain(v, "ext_diagnostics_times_" if len(inner) == 2 else prefix + name + "_")
        out[name] = v
    return out


def documented():
    """Keys of each struct of diagnostics, from the reference."""
    with open(os.path.join(ROOT, "docs/reference/TIMExt.md")) as f:
        parts = re.findall(r"^### (ExtDiagnostics\w*)\n(.*?)(?=^### |\Z)", f.read(), re.M | re.S)
    return {name: set(re.findall(r"^\| `(\w+)`", text, re.M)) for name, text in parts}


def test_states(t):
    a = t.client("alice")
    equal(a.ask("TIMExtGetDiagnostics").code, 6013, "before TIMInit")
    a.init()
    a.network(CONNECTED)
    d = diagnostics(a)
    equal((d["login_state"], d["user"], d["instance"]), (UNLOGINED, "", 0), "before the login")
    check("database" not in d and "outbox" not in d, "there is no database yet")
    equal((d["connection"]["state"], d["connection"]["session"]), (CONNECTED, ""), "the connection before the login")
    a.login()
    until(lambda: diagnostics(a)["sync"]["caught_up"], "the end of the login")
    d = diagnostics(a)
    equal((d["login_state"], d["user"]), (LOGINED, a.name), "after the login")
    c, db = d["connection"], d["database"]
    equal((c["state"], c["reconnects"], c["server"]), (CONNECTED, 0, t.server.url.split("//")[1]), "the connection")
    check(c["session"] and c["round_trip_us"] > 0 and c["smoothed_us"] > 0, "no session or round trip: %s" % c)
    check(c["received_bytes"] > 0 and c["sent_bytes"] > 0 and c["heartbeat_ms"] >= 30000, "the connection: %s" % c)
    equal((d["outbox"]["depth"], d["outbox"]["oldest_state"]), (0, ""), "the outbox")
    check(d["sync"]["epoch"] and not d["sync"]["catching_up"] and d["sync"]["gaps"] == 0, "sync: %s" % d["sync"])
    check(db["bytes"] >= 4096 and db["wal_bytes"] > 4096 and db["commits"] > 0 and db["changes"] >= db["commits"], "the database: %s" % db)
    for what in ("transaction", "commit", "read"):
        times = db[what]
        check(0 <= times["p50_us"] <= times["p99_us"] <= times["max_us"], "%s: %s" % (what, times))
    check(db["commit"]["count"] > 0 and db["commit"]["max_us"] <= db["transaction"]["max_us"], "the database: %s" % db)
    check(d["process"]["goroutines"] > 5 and d["process"]["threads"] > 2 and d["process"]["heap_bytes"] > 100000, "%s" % d["process"])
    a.logout()
    d = diagnostics(a)
    equal((d["login_state"], d["user"], "database" in d), (UNLOGINED, "", False), "after the logout")


def test_every_key_is_documented(t):
    a = t.user("alice")
    names = {"connection": "Connection", "outbox": "Outbox", "sync": "Sync", "dispatcher": "Dispatcher", "database": "Database",
             "files": "Files", "process": "Process"}
    want, got = documented(), a.ok("TIMExtGetDiagnostics").json
    optional = {"ext_diagnostics_process_open_files"}
    equal(set(got), want["ExtDiagnostics"], "keys of ExtDiagnostics")
    for part, name in names.items():
        keys = set(got["ext_diagnostics_" + part])
        equal(keys | optional & want["ExtDiagnostics" + name], want["ExtDiagnostics" + name], "keys of ExtDiagnostics" + name)
    equal(set(got["ext_diagnostics_database"]["ext_diagnostics_database_read"]), want["ExtDiagnosticsTimes"], "keys of ExtDiagnosticsTimes")


def test_the_server_is_away(t):
    """The outbox grows in number and age, the error is told; afterwards all is well again."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    before = diagnostics(a)
    server.stop()
    a.network(CONNECT_FAILED)
    sends = [a.send(b.name, [text_elem("while it is away %d" % i)]) for i in range(3)]
    d = until(lambda: (lambda d: d["outbox"]["depth"] == 3 and d)(diagnostics(a)), "the sends stand in the outbox")
    equal((d["outbox"]["lanes"], d["outbox"]["oldest_state"]), (1, "answer"), "the outbox: %s" % d["outbox"])
    check(d["connection"]["state"] in (timbre.CONNECTING, CONNECT_FAILED), "the connection: %s" % d["connection"])
    equal((d["connection"]["error_code"], d["connection"]["session"]), (9511, ""), "the connection: %s" % d["connection"])
    check(d["connection"]["error_text"] and d["connection"]["pending"] >= 3, "the connection: %s" % d["connection"])
    equal(d["login_state"], LOGINED, "the login state")
    age = d["outbox"]["oldest_ms"]
    until(lambda: diagnostics(a)["outbox"]["oldest_ms"] > age + 200, "the oldest one gets older")
    again = a.mark()
    server.start()
    for s in sends:
        s.wait(code=0)
    a.finished(after=again)
    d = until(lambda: (lambda d: d["outbox"]["depth"] == 0 and d)(diagnostics(a)), "the outbox runs empty")
    equal((d["connection"]["state"], d["connection"]["reconnects"]), (CONNECTED, 1), "after the outage")
    check(d["connection"]["session"] not in ("", before["connection"]["session"]), "another session: %s" % d["connection"])
    check(d["sync"]["position"] > before["sync"]["position"], "the position has moved: %s" % d["sync"])


def test_polled_during_traffic(t):
    """From a thread of its own, while messages come and go: every call is answered and what is counted never goes back."""
    a, b = t.users("alice", "bob")
    over, seen, errors = threading.Event(), [], []

    def poll():
        try:
            while not over.is_set() or len(seen) < 5:
                seen.append(diagnostics(a))
        except Exception as e:
            errors.append(e)
    poller = threading.Thread(target=poll)
    poller.start()
    try:
        sends = [a.send(b.name, [text_elem("to %d" % i)]) for i in range(100)]
        back = [b.send(a.name, [text_elem("back %d" % i)]) for i in range(100)]
        for s in sends + back:
            s.wait(code=0)
        a.incoming("back 99")
    finally:
        over.set()
        poller.join()
    check(not errors, "polling failed: %r" % errors)
    for older, newer in zip(seen, seen[1:]):
        for part, key in (("connection", "received_bytes"), ("connection", "sent_bytes"), ("dispatcher", "callbacks"),
                          ("database", "changes"), ("database", "commits"), ("sync", "position"), ("dispatcher", "max_depth")):
            check(older[part][key] <= newer[part][key], "%s %s went from %d to %d" % (part, key, older[part][key], newer[part][key]))
    last = diagnostics(a)
    check(last["database"]["changes"] >= 200 and last["dispatcher"]["callbacks"] >= 200, "too little was counted: %s" % last)
    check(last["sync"]["position"] >= 100, "the position: %s" % last["sync"])


def test_each_instance_has_its_own(t):
    a = t.user("alice")
    other = a.call("TIMExtInstanceCreate").rc
    equal(a.call("TIMExtInstanceSetCurrent", other).rc, 0, "picking the new instance")
    equal(a.ask("TIMExtGetDiagnostics").code, 6013, "the new instance before its TIMInit")
    folder = t.folder()
    equal(a.call("TIMInit", timbre.APP, {"sdk_config_config_file_path": folder, "sdk_config_log_file_path": folder}).rc, 0, "TIMInit")
    d = diagnostics(a)
    equal((d["instance"], d["user"], d["login_state"]), (other, "", UNLOGINED), "the new instance")
    equal(a.call("TIMExtInstanceSetCurrent", 0).rc, 0, "picking the first instance")
    d = diagnostics(a)
    equal((d["instance"], d["user"], d["login_state"]), (0, a.name, LOGINED), "the first instance")
    equal(a.call("TIMExtInstanceDestroy", other).rc, 0, "the end of the new instance")


def test_transfers(t):
    """An upload and a download count while they are on their way."""
    server = t.own_server()
    gate = relays.Gate(("127.0.0.1", server.port), 100000)
    t.defer(gate.close)
    a, b = t.user("alice", url=gate.url), t.user("bob", url=gate.url)
    path = files.write(t.folder(), "noise.bin", files.noise(1 << 20))
    sent = a.send(b.name, [files.file(path)])
    gate.held()
    equal(diagnostics(a)["files"], {"uploads": 1, "downloads": 0}, "while the file goes up")
    gate.release()
    sent.wait(code=0)
    m = b.incoming(lambda m: m["message_elem_array"][0]["elem_type"] == timbre.FILE)
    gate.release(100000)
    elem = m["message_elem_array"][0]
    down = b.begin("TIMMsgDownloadElemToPath", {"msg_download_elem_param_id": elem["file_elem_file_id"],
                   "msg_download_elem_param_url": elem["file_elem_url"]}, os.path.join(t.folder(), "copy.bin"))
    gate.held(answers=True)
    equal(diagnostics(b)["files"], {"uploads": 0, "downloads": 1}, "while the file comes down")
    gate.release()
    b.downloaded(down)
    for client in (a, b):
        until(lambda: diagnostics(client)["files"] == {"uploads": 0, "downloads": 0}, "the end of the transfers")


SLOW = r"""
import json, sys, threading, time
sys.path.insert(0, sys.argv[1])
import timbre
answers, slow = [], 0
there = threading.Condition()
def report(purpose, word, args):
    if word == 1:
        time.sleep(1)
    if word == 2:
        with there:
            answers.append(json.loads(args[2]))
            there.notify()
lib = timbre.Library(report)
folders = {"sdk_config_log_file_path": sys.argv[2], "sdk_config_config_file_path": sys.argv[2]}
assert lib.call("TIMInit", [1, json.dumps(folders)], 0)[0] == 0
assert lib.call("TIMSetConfig", ["{}"], 1)[0] == 0
while not slow: # the figures are those of the call, which may be made while the slow one runs
    with there:
        before = len(answers)
        lib.call("TIMExtGetDiagnostics", [], 2)
        there.wait_for(lambda: len(answers) > before)
        slow = answers[-1]["ext_diagnostics_dispatcher"]["ext_diagnostics_dispatcher_slow"]
print(json.dumps(answers))
lib.call("TIMUninit", [], 0)
"""


def test_slow_callbacks(t):
    env = dict(os.environ, TIM_SERVER_URL="ws://127.0.0.1:1", PYTHONDONTWRITEBYTECODE="1")
    run = subprocess.run([sys.executable, "-c", SLOW, os.path.dirname(timbre.__file__), t.folder()], env=env, text=True,
                         stdout=subprocess.PIPE, timeout=timbre.DEADLINE, check=True)
    answers = [plain(d)["dispatcher"] for d in json.loads(run.stdout)]
    d = answers[-1]
    equal(d["slowest"], "TIMSetConfig", "slow callbacks: %s" % d)  # on a busy machine others may be slow too
    check(d["slow"] >= 1 and d["slowest_ms"] >= 1000 and d["callbacks"] >= 1, "slow callbacks: %s" % d)
    for d in answers[:-1]:
        check(d["running"] in ("", "TIMSetConfig", "TIMSetNetworkStatusListenerCallback"), "while it ran: %s" % d)


def lines(pattern, word):
    out = []
    for path in glob.glob(pattern):
        with open(path, errors="replace") as f:
            out += [line.strip() for line in f if word in line]
    return out


def test_one_request_in_both_logs(t):
    """A refused request has one name in the client's log and in the server's, and the session in both."""
    server = t.own_server()
    a = t.user("alice")
    session = diagnostics(a)["connection"]["session"]
    r = a.send("nobody-" + a.name, [text_elem("the body of the message")]).wait()
    check(r.code != 0, "a message to nobody was sent")
    mine = os.path.join(a.folder, "log", "imsdk_*.log")
    theirs = os.path.join(server.folder, "timbred.log")
    refused = until(lambda: lines(mine, "request refused"), "the client's log tells of the refusal")[0]
    name = re.search(r"request=(\S+)", refused).group(1)
    check(name.startswith(session + "-"), "the request %s of the session %s" % (name, session))
    found = until(lambda: lines(theirs, "request=" + name), "the server's log has the same request")
    check(any("session=" + session in line and "op=msg.send" in line and "code=%d" % r.code in line for line in found),
          "the server's lines: %s" % found)
    for pattern in (mine, theirs):
        check(any("session=" + session in line for line in lines(pattern, session)), "no session in %s" % pattern)
        check(not lines(pattern, "the body of the message"), "a body stands in %s" % pattern)
    a.logout()
    until(lambda: lines(theirs, "session=" + session + " ") and lines(theirs, "logout"), "the server's log tells of the end")


def test_every_request_at_the_lowest_level(t):
    """The server's level debug and the client's level 2 show requests that went well too."""
    server = t.own_server(options=["--log-level", "debug"])
    a, b = t.users("alice", "bob")
    a.ok("TIMSetConfig", {"set_config_log_level": 2})
    a.text(b.name, "the body of the message")
    theirs = os.path.join(server.folder, "timbred.log")
    sent = until(lambda: [line for line in lines(os.path.join(a.folder, "log", "imsdk_*.log"), " request request=")
                          if "op=msg.send" in line], "the client's log has the send")
    name = re.search(r"request=(\S+)", sent[0]).group(1)
    found = until(lambda: lines(theirs, "request=" + name + " "), "the server's log has the send")
    check("op=msg.send" in found[0] and "code=0" in found[0], "the server's lines: %s" % found)
    check(not lines(theirs, "the body of the message"), "a body stands in the server's log")


def test_metrics(t):
    """The server's side of it."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    for i in range(20):
        a.text(b.name, "message %d" % i)
    a.send("nobody-" + a.name, [text_elem("x")]).wait()

    def figures():
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % server.port, timeout=timbre.DEADLINE) as answer:
            rows = [line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#")]
        return {name: float(n) for name, n in rows}
    # A request is counted when it has been answered, and the client has the answer then.
    m = until(lambda: (lambda m: m.get('timbred_request_seconds_count{op="msg.send"}') == 21 and m)(figures()), "21 sends are counted")
    equal((m["timbred_connections"], m["timbred_sessions"], m["timbred_messages_total"]), (2, 2, 20), "connections, sessions, messages")
    check(sum(n for name, n in m.items() if name.startswith("timbred_refusals_total")) >= 1, "the refusal is counted")
    check(m["timbred_database_transaction_seconds_count"] > 0 and m["timbred_database_jobs_total"] >= 20, "the database's work")
    check(m["timbred_database_bytes"] > 0 and m["timbred_database_wal_bytes"] > 0, "the database's sizes")
    equal(m["timbred_database_commit_seconds_count"], m["timbred_database_commit_seconds_bucket{le=\"+Inf\"}"], "the histogram")
    other = timbre.Client(a.name, server)
    t.defer(other.close)
    other.start()
    a.event("TIMSetKickedOfflineCallback")
    m = until(lambda: (lambda m: m["timbred_sessions"] == 2 and m["timbred_kicks_total"] == 1 and m)(figures()), "the kicked session ends")
    check(len(m) < 1500, "%d series" % len(m))
