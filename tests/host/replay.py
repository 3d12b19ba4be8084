#!/usr/bin/env python3
"""Replays tests/contract/errors.jsonl, what the vendor's library answered, against this library.

Each state has a process of its own: pre (before TIMInit), init (after it, the server's port closed), login (TIMLogin after
TIMInit, which changes the state), logining (the local database open, TIMLogin running against a listener that accepts and
never answers). A row holds when the return value, the number of callbacks, their code and their result text are the
recorded ones or a decided difference, see difference(). That something did not come is proved by what came after it: by
the callback of a later call, and by TIMUninit, which answers everything that is pending.

The functions that the record does not cover are held to the same rules, and the keys of messages to local.json.
"""
import ctypes
import json
import os
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "python")]
import keys  # noqa: E402
import tim  # noqa: E402

CONTRACT = os.path.join(tim.ROOT, "tests", "contract")
STATES = ["pre", "init", "login", "logining"]
LOGIN_RUNNING = 7501


def rows():
    with open(os.path.join(CONTRACT, "errors.jsonl"), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def uncovered(lib, known):
    """Rows for the functions that nobody recorded, from the rules: -4, -3, then 6013 or 6014."""
    out = []
    for fn in lib.functions.values():
        if fn.setter or fn.name in known or not fn.callback:
            continue
        texts = [p for p in fn.params if p.kind == "s"]
        for state, code in ("pre", 6013), ("init", 6014):
            text = fn.empty_result if lib.callbacks[fn.callback.type][0].name == "code" else "[]"
            good = {"fn": fn.name, "state": state, "input": "plausible", "ret": 0, "cb": [[code, text]]}
            if any(p.empty < 0 for p in texts):
                good.update(ret=next(p.empty for p in texts if p.empty < 0), cb=[])
            if fn.state != state:  # where it is at home, it is not refused
                out.append(good)
            if any(not p.optional for p in texts):
                out.append({"fn": fn.name, "state": state, "input": "null", "ret": -4, "cb": []})
            if any(p.json and p.bad <= 0 for p in texts):
                bad = next(p.bad for p in texts if p.json and p.bad <= 0)
                out.append({"fn": fn.name, "state": state, "input": "bad", "ret": bad or -3, "cb": []})
    return out


def expected(row, fn):
    """What this library must answer: (return value, list of callbacks, name of the decided difference).

    A callback is [code, text]; None stands for whatever it may be."""
    ret, cb, state = row["ret"], row["cb"], row["state"]
    if ret != 0:
        return ret, [], "refused calls never call back" if cb else None
    if fn.callback is None:
        return ret, [], None
    if fn.name == "TIMLogin" and state in ("init", "logining"):
        return ret, [[LOGIN_RUNNING if state == "logining" else None, ""]], "the record ended before the login did"
    if not cb:
        return ret, [[None, None]], "accepted calls call back once"
    code, text = cb[0]
    if not fn.built and code not in (6013, 6014) and (state == "logining" or row["input"] != "bad"):
        return ret, [[None, None]], "not built"
    if fn.name == "TIMMsgCancelSend" and state == "pre":
        return ret, [[code, "{}"]], "no message made of defaults"
    if text is None:
        return ret, [[code, ""]], "texts are never NULL"
    return ret, [[code, text]], None


def result(lib, fn, args):
    """A callback's arguments as the record has them: code and text."""
    params = [p.name for p in lib.callbacks[fn.callback.type]]
    if params[0] == "code":
        return [args[0], args[2]]
    return [None, args[0]]


class State:
    def __init__(self, name):
        self.name = name
        self.lib = tim.Library()
        self.out = ctypes.create_string_buffer(256)
        self.listener = None

    def enter(self):
        if self.name == "pre":
            return
        folder = json.dumps({"sdk_config_log_file_path": "log", "sdk_config_config_file_path": "data"})
        assert self.lib.call("TIMInit", sdk_app_id=1400000001, json_sdk_config=folder)[0] == 0
        if self.name == "logining":
            request = {"request_internal_operation": "internal_operation_init_local_storage",
                       "request_init_local_storage_user_id_param": "alice"}
            ret, word = self.lib.call("callExperimentalAPI", json_param=json.dumps(request))
            assert ret == 0 and self.lib.wait(word)[0] == 0, "the local storage does not open"
            assert self.lib.call("TIMLogin", user_id="alice", user_sig="eJx")[0] == 0
            assert self.lib.call("TIMGetLoginStatus")[0] == 2, "the login does not run"

    def run(self, row):
        fn = self.lib.functions[row["fn"]]
        ret, word = self.lib.call(fn.name, **tim.inputs(fn, row["input"], self.out))
        want_ret, want, why = expected(row, fn)
        if want and ret == 0:
            self.lib.wait(word)
        return word, ret, want_ret, want, why

    def judge(self, row, word, ret, want_ret, want, why):
        fn = self.lib.functions[row["fn"]]
        got = [result(self.lib, fn, a) for a in self.lib.got.get(word, [])]
        same = len(got) == len(want) and all(
            (w[0] is None or g[0] == w[0] or g[0] is None) and (w[1] is None or g[1] == w[1])
            for g, w in zip(got, want))
        if ret == want_ret and same:
            return None
        return f"{row['state']} {row['fn']} {row['input']}: want {want_ret} {want}, got {ret} {got}"


def child(name):
    s = State(name)
    recorded = rows()
    if name == "login":
        mine = [r for r in recorded if r["state"] == "init" and r["fn"] == "TIMLogin"]
    else:
        mine = [r for r in recorded if r["state"] == name and (name != "init" or r["fn"] != "TIMLogin")]
    extra = [r for r in uncovered(s.lib, {r["fn"] for r in recorded}) if r["state"] == name]
    s.enter()
    done = []
    for row in mine + extra:
        done.append((row, s.run(dict(row, cb=row["cb"] or []))))
    if name == "logining":
        assert s.lib.call("TIMGetLoginStatus")[0] == 2, "the login ended meanwhile"
    s.lib.barrier()
    assert s.lib.call("TIMUninit")[0] == 0
    wrong, held, why, unseen = [], 0, {}, 0
    for i, (row, outcome) in enumerate(done):
        bad = s.judge(row, *outcome)
        if bad:
            wrong.append(bad)
            continue
        if i >= len(mine):
            continue
        held += row["cb"] is not None
        unseen += row["cb"] is None
        if outcome[4] and row["cb"] is not None:
            why[outcome[4]] = why.get(outcome[4], 0) + 1
    print(json.dumps({"wrong": wrong + s.lib.errors, "held": held, "why": why, "unseen": unseen, "extra": len(extra)}))


def main():
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(16)
    total = {"held": 0, "unseen": 0, "extra": 0}
    why, wrong = {}, []
    for name in STATES:
        port = (silent if name == "logining" else closed).getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run([sys.executable, os.path.abspath(__file__), name], cwd=folder, timeout=600, text=True,
                                 stdout=subprocess.PIPE, env=dict(os.environ, TIM_SERVER_URL=f"ws://127.0.0.1:{port}",
                                 TIMBRE_LIB_DIR=os.path.dirname(os.path.abspath(tim.LIBRARY))))
        if run.returncode != 0:
            sys.exit(f"replay: state {name} ended with {run.returncode}")
        answer = json.loads(run.stdout.splitlines()[-1])
        wrong += answer["wrong"]
        for k in total:
            total[k] += answer[k]
        for k, n in answer["why"].items():
            why[k] = why.get(k, 0) + n
    problems, compared = keys.compare(f"ws://127.0.0.1:{silent.getsockname()[1]}")
    wrong += problems
    for line in wrong:
        print("replay: " + line, file=sys.stderr)
    observable = sum(r["cb"] is not None for r in rows())
    print(f"{'FAILED' if wrong else 'ok'} replay: {total['held']} of {observable} recorded rows held "
          f"({', '.join(f'{n} as decided: {k}' for k, n in sorted(why.items()))}); {total['unseen']} rows without an "
          f"observed callback and {total['extra']} rows of unrecorded functions held to the rules; "
          f"{compared} messages have the recorded keys and types")
    sys.exit(1 if wrong or total["held"] != observable else 0)


if __name__ == "__main__":
    child(sys.argv[1]) if len(sys.argv) > 1 else main()
