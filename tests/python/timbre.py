"""Drives libImSDK.so from Python for tests: the standard library only.

One account lives in one process, so a test talks to workers: `Client` starts this file as a program that loads the
library (from $TIMBRE_LIB_DIR, else build/lib), takes calls as JSON lines on stdin and reports results, callbacks and
events as JSON lines on stdout. Their order on stdout is the order in which the library made them. Nothing here sleeps to
wait for something: every wait is a condition with a deadline and fails with what it waited for.

    server = Server().start()
    alice = Client("alice", server)
    alice.init(); alice.login()
    message = alice.text("bob", "hello")
"""
import ctypes
import hashlib
import hmac
import base64
import itertools
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMBRED = os.environ.get("TIMBRED", os.path.join(ROOT, "build/bin/timbred"))
APP = int(os.environ.get("TIMBRE_APP", "1400000001"))
SECRET = os.environ.get("TIMBRE_SECRET", "0123456789abcdef" * 4)
DEADLINE = float(os.environ.get("TIMBRE_TEST_DEADLINE", "60"))  # how long a test waits for what must come: twice a pause between dials

TEXT, IMAGE, SOUND, CUSTOM, FILE, FACE, LOCATION, VIDEO, MERGER = 0, 1, 2, 3, 4, 6, 7, 9, 12
C2C, GROUP = 1, 2
LOGINED, LOGINING, UNLOGINED, LOGOUTING = 1, 2, 3, 4
CONNECTED, DISCONNECTED, CONNECTING, CONNECT_FAILED = 0, 1, 2, 3
ADD, DEL, UPDATE, START, FINISH = 0, 1, 2, 3, 4
SENDING, SENT, FAILED, DELETED, IMPORTED = 1, 2, 3, 4, 5


def library_path():
    return os.path.join(os.environ.get("TIMBRE_LIB_DIR", os.path.join(ROOT, "build/lib")), "libImSDK.so")


# ---------------------------------------------------------------- signatures

def contract():
    """The interface's facts: {function: (result, [(type, name)])} and the same for callbacks."""
    with open(os.path.join(ROOT, "tests/contract/tim-c-api.json")) as f:
        facts = json.load(f)

    def plain(entries):
        return {e["name"]: (e.get("returns", "void"), [(p["type"], p["name"]) for p in e["params"]]) for e in entries}
    functions, callbacks = plain(facts["functions"]), plain(facts["callbacks"])
    older = facts["older_versions"]
    for name, alias in older["callbacks"].items():
        callbacks[name] = callbacks[alias.split()[-1]]
    for name, text in older["functions"].items():
        result, params = re.match(r"(.*?)\s*\b%s\((.*)\);" % name, text).groups()
        functions[name] = (result, [tuple(p.strip().rsplit(" ", 1)) for p in params.split(",")])
    with open(os.path.join(ROOT, "include/TIMExt.h")) as f:  # what the interface does not have
        header = f.read()

    def declared(params):
        return [tuple(p.strip().rsplit(" ", 1)) for p in params.split(",") if p != "void"]
    for result, name, params in re.findall(r"^TIM_API (.+?) TIM_DECL (\w+)\((.*)\);", header, re.M):
        functions[name] = (result, declared(params))
    for name, params in re.findall(r"^typedef void \(TIM_DECL \*(\w+)\)\((.*)\);", header, re.M):
        callbacks[name] = ("void", declared(params))
    return functions, callbacks


SCALARS = {"int": ctypes.c_int, "int32_t": ctypes.c_int32, "uint32_t": ctypes.c_uint32, "int64_t": ctypes.c_int64,
           "uint64_t": ctypes.c_uint64, "bool": ctypes.c_bool, "void": None, "const char*": ctypes.c_char_p,
           "const void*": ctypes.c_void_p, "void*": ctypes.c_void_p, "char*": ctypes.c_char_p}


def scalar(name):
    return SCALARS.get(name, ctypes.c_int)  # what is left are enums


class Library:
    """The library in this process, with typed functions. `report(name, user_data, args)` gets every callback."""

    def __init__(self, report, path=None):
        self.functions, self.callbacks = contract()
        self.types = {n: ctypes.CFUNCTYPE(None, *[scalar(t) for t, _ in ps]) for n, (_, ps) in self.callbacks.items()}
        self.report = report
        self.dll = ctypes.CDLL(path or library_path())
        self.kept = {}  # callback objects must outlive the library's use of them: one a type and purpose, for ever
        self.typed = {}

    def function(self, name):
        if name not in self.typed:
            result, params = self.functions[name]
            fn = getattr(self.dll, name)
            fn.restype = scalar(result)
            fn.argtypes = [self.types.get(t) or (ctypes.c_void_p if t == "char*" else scalar(t)) for t, _ in params]
            self.typed[name] = fn
        return self.typed[name]

    def callback(self, type_name, purpose):
        """A callback of a type; what it gets is reported under purpose."""
        key = (type_name, purpose)
        if key not in self.kept:
            params = self.callbacks[type_name][1]

            def run(*args):
                plain = []
                for (kind, _), value in zip(params[:-1], args):
                    plain.append(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
                self.report(purpose, args[-1] or 0, plain)
            self.kept[key] = self.types[type_name](run)
        return self.kept[key]

    def call(self, name, args, user_data, without=()):
        """Calls a function. args are the parameters that are neither callbacks nor buffers nor user_data, in order;
        callbacks named in `without` are NULL. Returns the result and what stands in buffers."""
        _, params = self.functions[name]
        given, real, buffers = iter(args), [], {}
        for kind, param in params:
            if kind in self.types:
                real.append(self.types[kind]() if param in without else self.callback(kind, param))
            elif kind == "char*":
                if param in without:
                    real.append(None)
                else:
                    buffers[param] = ctypes.create_string_buffer(b"\xee" * 127, 128)
                    real.append(ctypes.addressof(buffers[param]))
            elif param == "user_data":
                real.append(user_data)
            else:
                value = next(given)
                real.append(value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value)
        result = self.function(name)(*real)
        if isinstance(result, bytes):
            result = result.decode()
        return result, {k: b.value.decode("utf-8", "replace") for k, b in buffers.items()}


# ---------------------------------------------------------------- the worker process

def worker():
    out, lock = os.fdopen(os.dup(1), "w", buffering=1), threading.Lock()
    os.dup2(2, 1)  # what anybody prints must not disturb the lines

    def say(**line):
        line["t"] = time.monotonic()
        with lock:
            out.write(json.dumps(line) + "\n")

    fatal = set()  # calls whose callback ends the process

    def report(purpose, user_data, args):
        if purpose.startswith("TIM"):
            return say(event=purpose, args=args)
        say(cb=purpose, id=user_data, args=args)
        if user_data in fatal:
            os.kill(os.getpid(), signal.SIGKILL)
    lib = Library(report)
    no_events = {"TIMRemoveRecvNewMsgCallback", "TIMSetLogCallback", "TIMSetRecvNewMsgCallback"}

    def listen(name, on):
        kind = lib.functions[name][1][0][0]
        lib.function(name)(*([lib.callback(kind, name) if on else lib.types[kind](), 0][:len(lib.functions[name][1])]))
    for name, (result, params) in lib.functions.items():
        setter = re.match(r"TIM((Ext)?Set\w*Callback|AddRecvNewMsgCallback)$", name)
        if setter and len(params) == 2 and name not in no_events:
            listen(name, True)
    say(ready=True)
    for line in sys.stdin:
        c = json.loads(line)
        if c["do"] == "quit":
            break
        if c["do"] == "listen":
            listen(c["fn"], c["on"])
            say(done=c["id"], rc=0, out={})
            continue
        if c.get("die") == "callback":
            fatal.add(c["id"])
        rc, buffers = lib.call(c["fn"], c["args"], c["id"], c.get("without", ()))
        say(done=c["id"], rc=rc, out=buffers)
        if c.get("die") == "return":
            os.kill(os.getpid(), signal.SIGKILL)
    sys.stderr.flush()
    os._exit(0)  # what a plain exit does is tests/host's business


# ---------------------------------------------------------------- the test's side

class Failure(AssertionError):
    pass


def check(condition, what):
    if not condition:
        raise Failure(what)


def equal(got, want, what):
    if got != want:
        raise Failure("%s: got %s, want %s" % (what, short(got), short(want)))


def poll(probe, what, timeout=DEADLINE):
    """Asks again and again, for what nobody is told of, until probe() is true, and returns it."""
    deadline = time.monotonic() + timeout
    while True:
        got = probe()
        if got:
            return got
        check(time.monotonic() < deadline, what() if callable(what) else what)
        threading.Event().wait(0.02)


def short(value):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) < 1500 else text[:1500] + "..."


def sig(user, expire=86400, app=None, secret=None, now=None, level=6):
    """A UserSig by the vendor's published algorithm, made here: a second witness beside `timbred usersig`."""
    app, now = APP if app is None else app, int(time.time()) if now is None else now
    text = "TLS.identifier:%s\nTLS.sdkappid:%d\nTLS.time:%d\nTLS.expire:%d\n" % (user, app, now, expire)
    mac = hmac.new((secret or SECRET).encode(), text.encode(), hashlib.sha256).digest()
    ticket = {"TLS.ver": "2.0", "TLS.identifier": user, "TLS.sdkappid": app, "TLS.expire": expire, "TLS.time": now,
              "TLS.sig": base64.b64encode(mac).decode()}
    packed = base64.b64encode(zlib.compress(json.dumps(ticket).encode(), level)).decode()
    return packed.replace("+", "*").replace("/", "-").replace("=", "_")


def usersig(user, expire=None):
    """A UserSig by the server's own tool."""
    command = [TIMBRED, "usersig", "--app", "%d:%s" % (APP, SECRET), "--user", user]
    return subprocess.run(command + (["--expire", expire] if expire else []), check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


class Result:
    def __init__(self, args):
        self.code, self.desc, self.text = (list(args) + [None] * 3)[:3]
        self.args = args

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return "code %r, desc %r, json %s" % (self.code, self.desc, short(self.text))


class Call:
    """One call on its way. rc and out are there at once, callbacks come later."""

    def __init__(self, client, name, number):
        self.client, self.name, self.number = client, name, number
        self.rc, self.out, self.callbacks = None, None, []

    def wait(self, timeout=DEADLINE, purpose="cb", code=None):
        def come():
            return next((a for p, a in self.callbacks if p in (purpose, "res_cb") or purpose == p), None)
        args = self.client.until(come, timeout, "the callback of " + self.name)
        result = Result(args)
        if code is not None:
            equal(result.code, code, "%s: code of %s (%s)" % (self.client.name, self.name, result.desc))
        return result


class Event:
    def __init__(self, name, args, t):
        self.name, self.args, self.t = name, args, t

    def __repr__(self):
        return "%s%s" % (self.name, short(self.args))

    def json(self, i=0):
        return json.loads(self.args[i])


class Client:
    """A process with the library in it."""

    def __init__(self, name, server=None, folder=None, url=None, env=None, cwd=None, listen=True, log_level=None):
        self.name = name
        self.folder = folder or tempfile.mkdtemp(prefix="timbre-%s-" % re.sub(r"\W", "_", name))
        self.own_folder = folder is None
        self.log, self.calls, self.dead = [], {}, False
        self.numbers = itertools.count(1)
        self.change = threading.Condition()
        environ = dict(os.environ, PYTHONUNBUFFERED="1", PYTHONDONTWRITEBYTECODE="1")
        environ.pop("TIM_SERVER_URL", None)
        url = url or (server.url if server else None)
        if url:
            environ["TIM_SERVER_URL"] = url
        environ.update(env or {})
        self.environ, self.cwd, self.settings = environ, cwd or self.folder, ()
        self.errors = open(os.path.join(self.folder, "stderr"), "ab")
        self._spawn()

    def _spawn(self):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "worker"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True, env=self.environ,
                                        cwd=self.cwd)
        self.ready = self.dead = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.until(lambda: self.ready, DEADLINE, "the worker to load the library")

    def _read(self):
        for text in self.process.stdout:
            if not text.endswith("\n"):
                break  # the process was killed in the middle of it
            line = json.loads(text)
            with self.change:
                if "ready" in line:
                    self.ready = True
                elif "event" in line:
                    self.log.append(Event(line["event"], line["args"], line["t"]))
                elif "cb" in line:
                    call = self.calls[line["id"]]
                    call.callbacks.append((line["cb"], line["args"]))
                    self.log.append(Event("%s of %s" % (line["cb"], call.name), line["args"], line["t"]))
                else:
                    self.calls[line["done"]].rc, self.calls[line["done"]].out = line["rc"], line["out"]
                self.change.notify_all()
        with self.change:
            self.dead = True
            self.change.notify_all()

    def until(self, probe, timeout, what):
        """Waits until probe() is neither None nor False and returns it."""
        deadline = time.monotonic() + timeout
        with self.change:
            while True:
                got = probe()
                if got is not None and got is not False:
                    return got
                left = deadline - time.monotonic()
                if self.dead or left <= 0:
                    why = "the process of %s died" % self.name if self.dead else "after %.1f s" % timeout
                    raise Failure("%s: %s did not come, %s; the last events: %s"
                                  % (self.name, what, why, short(repr(self.log[-6:]))))
                self.change.wait(left)

    # ---- calls

    def call(self, function, *args, without=(), die=""):
        """Calls a function and waits for its return. die ends the process with SIGKILL: "return" right after the call
        returned, "callback" inside its callback."""
        number = next(self.numbers)
        c = Call(self, function, number)
        with self.change:
            self.calls[number] = c
        plain = [json.dumps(a, ensure_ascii=False) if isinstance(a, (dict, list)) else a for a in args]
        self._send(do="call", fn=function, args=plain, id=number, without=list(without), die=die)
        self.until(lambda: c.rc is not None or c.out is not None, DEADLINE, "the return of " + function)
        return c

    def _send(self, **line):
        try:
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise Failure("the process of %s has gone" % self.name)

    def begin(self, function, *args, without=()):
        """A call that must be accepted."""
        c = self.call(function, *args, without=without)
        equal(c.rc, 0, "%s: return value of %s" % (self.name, function))
        return c

    def ask(self, function, *args, timeout=DEADLINE):
        return self.begin(function, *args).wait(timeout)

    def ok(self, function, *args, timeout=DEADLINE):
        r = self.ask(function, *args, timeout=timeout)
        equal(r.code, 0, "%s: code of %s (%s)" % (self.name, function, r.desc))
        return r

    def listen(self, setter, on=True):
        number = next(self.numbers)
        c = self.calls[number] = Call(self, setter, number)
        self._send(do="listen", fn=setter, on=on, id=number)
        self.until(lambda: c.out is not None, DEADLINE, "the return of " + setter)

    # ---- events

    def mark(self):
        with self.change:
            return len(self.log)

    def events(self, name=None, after=0):
        with self.change:
            return [e for e in self.log[after:] if name is None or e.name == name]

    def event(self, name, match=None, after=0, timeout=DEADLINE, what=None):
        """Waits for an event and returns it."""
        return self.until(lambda: next((e for e in self.log[after:] if e.name == name and (not match or match(e))), None),
                          timeout, what or "the event " + name)

    def network(self, status, after=0, timeout=DEADLINE):
        return self.event("TIMSetNetworkStatusListenerCallback", lambda e: e.args[0] == status, after, timeout,
                          "network status %d" % status)

    def received(self, after=0):
        """Every message of the new-message events, in their order."""
        return [m for e in self.events("TIMAddRecvNewMsgCallback", after) for m in e.json()]

    def incoming(self, match, after=0, timeout=DEADLINE, what="a message"):
        """Waits for a message and returns it. match is its text or a predicate."""
        fits = match if callable(match) else lambda m: text_of(m) == match
        return self.until(lambda: next((m for m in self._received(after) if fits(m)), None), timeout,
                          what if callable(match) else "the message %r" % short(match))

    def incoming_count(self, n, after=0, timeout=DEADLINE):
        self.until(lambda: len(self._received(after)) >= n, timeout, "%d messages" % n)
        return self.received(after)

    def _received(self, after):
        return [m for e in self.log[after:] if e.name == "TIMAddRecvNewMsgCallback" for m in e.json()]

    def conv_events(self, after=0):
        """(kind, [conversations]) of the conversation events."""
        return [(e.args[0], json.loads(e.args[1] or "[]")) for e in self.events("TIMSetConvEventCallback", after)]

    def conv_event(self, kind, peer=None, match=None, after=0, timeout=DEADLINE):
        def fits(e):
            return e.args[0] == kind and (peer is None or any(
                c["conv_id"] == peer and (not match or match(c)) for c in json.loads(e.args[1] or "[]")))
        return self.event("TIMSetConvEventCallback", fits, after, timeout, "conversation event %d %s" % (kind, peer or ""))

    def finished(self, after=0):
        """Waits for the end of the synchronisation."""
        return self.conv_event(FINISH, after=after)

    # ---- life

    def init(self, app=None, **config):
        settings = {"sdk_config_config_file_path": os.path.join(self.folder, "data"),
                    "sdk_config_log_file_path": os.path.join(self.folder, "log")}
        settings.update(config)
        self.settings = (APP if app is None else app, settings)
        equal(self.call("TIMInit", *self.settings).rc, 0, "TIMInit")
        return self

    def login(self, ticket=None, wait=True):
        after = self.mark()
        r = self.ask("TIMLogin", self.name, sig(self.name) if ticket is None else ticket)
        equal(r.code, 0, "login of %s (%s)" % (self.name, r.desc))
        if wait:
            self.finished(after)
        return self

    def start(self, ticket=None):
        return self.init().login(ticket)

    def login_again(self, ticket=None):
        return self.ask("TIMLogin", self.name, sig(self.name) if ticket is None else ticket)

    def logout(self):
        self.ok("TIMLogout")
        return self

    def status(self):
        return self.call("TIMGetLoginStatus").rc

    def user(self):
        return self.call("TIMGetLoginUserID").out["user_id_buffer"]

    def kill(self):
        """What a crash does."""
        self.process.kill()
        self.process.wait()
        self.reader.join(DEADLINE)

    def again(self):
        """What a crash and a new start do: another process with the same folder, logged in. The events go on in one log."""
        self.kill()
        try:
            self.process.stdin.close()
        except OSError:  # a call that it did not read any more
            pass
        self.process.stdout.close()
        self._spawn()
        equal(self.call("TIMInit", *self.settings).rc, 0, "TIMInit")
        return self.login()

    def close(self):
        """Ends the process without ceremony and removes its folder."""
        if self.process.poll() is None:
            try:
                self.process.stdin.close()
            except OSError:
                pass
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(DEADLINE)
        self.errors.close()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what tests do all the time

    def send(self, peer, elements, kind=C2C, **keys):
        """Begins a send and returns the call; its buffer holds the message's id."""
        return self.begin("TIMMsgSendMessage", peer, kind, dict({"message_elem_array": elements}, **keys))

    def sent(self, peer, elements, **keys):
        """Sends and returns the message as the result has it."""
        return self.send(peer, elements, **keys).wait(code=0).json

    def text(self, peer, text, **keys):
        return self.sent(peer, [text_elem(text)], **keys)

    def download(self, id, path, url="", code=0, timeout=DEADLINE):
        """Fetches a file; returns the final result, and before it how far each call said it was."""
        c = self.begin("TIMMsgDownloadElemToPath", {"msg_download_elem_param_id": id, "msg_download_elem_param_url": url}, path)
        return self.downloaded(c, code, timeout)

    def downloaded(self, c, code=0, timeout=DEADLINE):
        final = self.until(lambda: next((a for _, a in c.callbacks if a[1] != "downloading"), None), timeout, "the end of the download")
        equal(final[0], code, "%s: code of the download (%s)" % (self.name, final[1]))
        steps = [json.loads(a[2]) for _, a in c.callbacks if a[1] == "downloading"]
        return Result(final), [(s["msg_download_elem_result_current_size"], s["msg_download_elem_result_total_size"]) for s in steps]

    def history(self, peer, count=20, last=None, newer=False, cloud=True, kind=C2C, **keys):
        param = {"msg_getmsglist_param_count": count, "msg_getmsglist_param_is_forward": newer,
                 "msg_getmsglist_param_is_ramble": cloud}
        if last is not None:
            param["msg_getmsglist_param_last_msg"] = last
        param.update({"msg_getmsglist_param_" + k if not k.startswith("msg_") else k: v for k, v in keys.items()})
        return self.ok("TIMMsgGetMsgList", peer, kind, param).json

    def texts(self, peer, count=20, **keys):
        return [text_of(m) for m in self.history(peer, count, **keys)]

    def conversations(self):
        return self.ok("TIMConvGetConvList").json

    def conversation(self, peer):
        return next((c for c in self.conversations() if c["conv_id"] == peer), None)

    def unread(self, peer):
        c = self.conversation(peer)
        return c and c["conv_unread_num"]

    def total(self):
        return self.ok("TIMConvGetTotalUnreadMessageCount").json["conv_get_total_unread_message_count_result_unread_count"]

    def experiment(self, operation, **param):
        r = self.ask("callExperimentalAPI", dict({"request_internal_operation": "internal_operation_" + operation}, **param))
        if r.code == 0:
            equal(r.json["response_internal_operation"], "internal_operation_" + operation, "the echoed operation")
        return r

    def packet_timeout(self, seconds):
        equal(self.experiment("set_packet_request_timeout", request_set_packet_request_timeout_param=seconds).code, 0,
              "set_packet_request_timeout")


def text_elem(text):
    return {"elem_type": TEXT, "text_elem_content": text}


def text_of(message):
    return message["message_elem_array"][0].get("text_elem_content")


class Server:
    """A timbred of the test's own. Its port stays its own while it does not run: a socket that never listens holds it."""

    def __init__(self, devices="platform", folder=None, options=()):
        self.devices, self.options = devices, list(options)
        self.holder = socket.socket()
        self.holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.holder.bind(("127.0.0.1", 0))
        self.port = self.holder.getsockname()[1]
        self.folder, self.own_folder = folder or tempfile.mkdtemp(prefix="timbred-"), folder is None
        self.process, self.starts = None, 0

    @property
    def url(self):
        return "ws://127.0.0.1:%d" % self.port

    def start(self):
        self.starts += 1
        log = open(os.path.join(self.folder, "timbred.log"), "ab")
        self.process = subprocess.Popen(
            [TIMBRED, "serve", "--data", os.path.join(self.folder, "data"), "--listen", "127.0.0.1:%d" % self.port,
             "--app", "%d:%s" % (APP, SECRET), "--devices", self.devices] + self.options,
            stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        for line in self.process.stdout:
            if line.startswith("listening on "):
                return self
        with open(os.path.join(self.folder, "timbred.log")) as f:
            raise Failure("timbred did not start: " + f.read()[-2000:])

    def stop(self, hard=False):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Failure("timbred did not end within %d s of SIGTERM" % DEADLINE)
        if self.process:
            self.process.stdout.close()
        return self

    def database(self, statement, *values):
        """Runs a statement on the server's database and returns the rows; to change it, stop the server first."""
        db = sqlite3.connect(os.path.join(self.folder, "data/timbred.db"), timeout=DEADLINE)
        try:
            with db:
                return db.execute(statement, values).fetchall()
        finally:
            db.close()

    def swept(self, probe, timeout=DEADLINE):
        """Waits until its sweeping, of which nobody is told, has had an effect."""
        poll(probe, "the server did not sweep", timeout)

    def close(self):
        self.stop(hard=True)
        self.holder.close()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


if __name__ == "__main__" and sys.argv[1:] == ["worker"]:
    worker()
