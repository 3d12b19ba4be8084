#!/usr/bin/env python3
"""Calls every function of the interface from inside a callback: before TIMInit, after it, logged in (with a server), and
in a child of fork().

Each accepted call calls back exactly once, no refused one does, no call waits for a callback, and the callbacks come on one
thread. TIMLogout, TIMUninit, TIMInit and TIMLogin come last, inside a callback too. Instances come and go beside the rest.
"""
import atexit
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import tim

LAST = {"TIMInit", "TIMUninit", "TIMLogin", "TIMLogout"}


class Round:
    def __init__(self):
        self.lib = tim.Library()
        self.out = ctypes.create_string_buffer(256)
        self.made = []  # (name, input, result, word, has a callback)
        self.slowest = 0.0

    def inside(self, work):
        """Runs work inside a callback and waits until it is over."""
        over, trigger = threading.Event(), self.lib.word()

        def hook(word, _):
            if word == trigger:
                try:
                    work()
                except AssertionError as e:
                    self.lib.errors.append(str(e))
                finally:
                    over.set()
        self.lib.hook = hook
        assert self.lib.call("TIMSetConfig", json_config="{}", word=trigger)[0] == 0
        assert over.wait(300), "the callback hangs"
        self.lib.hook = None

    def call(self, name, **args):
        start = time.monotonic()
        ret, word = self.lib.call(name, **args)
        self.slowest = max(self.slowest, time.monotonic() - start)
        fn = self.lib.functions[name]
        self.made.append((name, ret, word, fn.callback is not None))
        return ret, word

    def everything(self):
        for fn in self.lib.functions.values():
            if fn.name in LAST or fn.name in tim.INSTANCES:
                continue
            if fn.setter:
                # The result recorder must not be fed by events, so listeners are only removed here.
                self.lib.call(fn.name, **{fn.params[0].name: None})
                continue
            for kind in "plausible", "null", "bad":
                self.call(fn.name, **tim.inputs(fn, kind, self.out))

    def instances(self):
        """Makes an instance inside a callback, asks it something, goes back and destroys it, and what it was asked is
        answered by then; the instance of the callback stays the current one of every later callback."""
        def one(name, *args):
            return self.lib.raw("TIMExtInstance" + name)(*args)
        assert one("GetCurrent") == 0, "the callback of instance 0 begins in another"
        made = one("Create")
        assert made > 0 and one("GetCurrent") == 0, made
        assert one("SetCurrent", made) == 0 and one("GetCurrent") == made
        _, word = self.call("TIMSetConfig", json_config="{}")
        assert one("SetCurrent", made + 1000000) == -4 and one("GetCurrent") == made
        assert one("Destroy", made) == 0 and self.lib.count(word) == 1, "an answer came late"
        self.lib.threads.clear()  # that one came on its thread
        assert self.lib.call("TIMSetConfig", json_config="{}")[0] == -1 and one("GetCurrent") == made
        assert one("SetCurrent", made) == -4 and one("Destroy", made) == -4 and one("Destroy", 0) == -4
        # it is not set back: that is the library's task, when the callback returns

    def judge(self):
        """How many calls were accepted; every one has called back once."""
        accepted = 0
        for name, ret, word, has_callback in self.made:
            want = 1 if ret == 0 and has_callback else 0
            accepted += want
            if want:
                self.lib.wait(word)
        self.lib.barrier()
        for name, ret, word, has_callback in self.made:
            want = 1 if ret == 0 and has_callback else 0
            assert self.lib.count(word) == want, f"{name} returned {ret} and called back {self.lib.count(word)} times"
        assert not self.lib.errors, self.lib.errors
        n = len(self.made)
        self.made = []
        return n, accepted


def sig(user):
    e = os.environ
    return subprocess.run([e["TIMBRED"], "usersig", "--app", f"{e['TIMBRE_APP']}:{e['TIMBRE_SECRET']}", "--user", user],
                          check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def start(r):
    folder = json.dumps({"sdk_config_log_file_path": "log", "sdk_config_config_file_path": "data"})
    return r.call("TIMInit", sdk_app_id=int(os.environ.get("TIMBRE_APP", "1400000001")), json_sdk_config=folder)[0]


def forked(r):
    """In a child of fork() every function answers with an error, and none hangs or calls back."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            import signal
            signal.alarm(100)
            before = sum(map(len, r.lib.got.values()))
            for fn in r.lib.functions.values():
                if fn.name == "TIMGetSDKVersion":
                    continue
                ret = r.lib.call(fn.name, **tim.inputs(fn, "plausible", r.out))[0]
                harmless = {"TIMGetLoginStatus": 3, "TIMGetServerTime": 0, "TIMExtInstanceGetCurrent": 0}
                good = fn.setter or (ret == harmless[fn.name] if fn.name in harmless else ret not in (0, None))
                assert good, f"{fn.name} returned {ret} in a child"
            assert sum(map(len, r.lib.got.values())) == before
            status = 0
        except Exception as e:
            print("inside: child:", e, file=sys.stderr)
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0, "the child failed"


def main():
    with_server = "TIMBRED" in os.environ
    folder = tempfile.mkdtemp(prefix="timbre-test-")
    atexit.register(shutil.rmtree, folder, True)
    os.chdir(folder)
    r, figures = Round(), {}
    r.inside(r.everything)
    figures["before TIMInit"] = r.judge()

    r.inside(lambda: start(r))
    r.lib.threads.clear()
    r.inside(r.everything)
    figures["after it"] = r.judge()
    r.inside(r.instances)
    r.judge()
    forked(r)

    if with_server:
        ticket = sig("inside_alice")
        r.inside(lambda: r.call("TIMLogin", user_id="inside_alice", user_sig=ticket))
        word = r.made[-1][2]
        assert r.lib.wait(word)[0] == 0, "no login"
        r.inside(r.everything)
        figures["logged in"] = r.judge()
        r.inside(lambda: r.call("TIMLogout"))
        assert r.lib.wait(r.made[-1][2])[0] == 0, "no logout"
    assert len(r.lib.threads) == 1, f"callbacks came on {len(r.lib.threads)} threads"

    def end():
        for _ in range(50):
            r.call("TIMConvGetConvList")
        assert r.call("TIMUninit")[0] == 0
        waiting = [m for m in r.made if m[3] and m[1] == 0 and not r.lib.count(m[2])]
        assert not waiting, f"{len(waiting)} calls had not called back when TIMUninit returned"
        r.call("TIMConvGetConvList")
        assert start(r) == 0 and r.call("TIMUninit")[0] == 0
    failed = []

    def guarded():
        try:
            end()
        except AssertionError as e:
            failed.append(str(e))
    r.inside(guarded)
    assert not failed, failed
    r.judge()
    assert r.slowest < 20, f"a call inside a callback took {r.slowest:.1f} s"
    total = ", ".join(f"{n} calls {state} with {a} callbacks" for state, (n, a) in figures.items())
    print(f"ok inside: all {len(r.lib.functions)} functions called inside a callback: {total}, one for each accepted call, "
          f"on one thread; in a forked child all fail; slowest call {r.slowest * 1000:.0f} ms")


if __name__ == "__main__":
    main()
