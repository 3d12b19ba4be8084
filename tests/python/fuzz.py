#!/usr/bin/env python3
"""fuzz [SECONDS] [SEED]: calls random functions with random and nasty arguments, NULL callbacks among them, with the local
database open and, when there is a server, logged in. Nothing may crash or hang, every accepted call calls back exactly once
and no refused one does, and every text that arrives is valid UTF-8 and, where it looks like JSON, valid JSON. Now and then
an instance is made, picked or destroyed, the current one too; what a destroyed one had accepted is answered by then."""
import atexit
import ctypes
import json
import os
import random
import shutil
import sys
import tempfile
import time

import inside
import tim

SPARE = {"TIMInit", "TIMUninit", "TIMLogin", "TIMLogout"}
TEXTS = [b"", b"{", b"[", b"{}", b"[]", b"null", b"0", b"bob", b"fuzz_alice", b"\xff\xfe", b"{\"a\":\"\x01\xff\"}", b"[[[[[]]]]]",
         b"[null,1,\"x\",{}]", b"{\"\":{}}", b"\xed\xa0\x80", "你好😀".encode(), b"a" * 300, b"@TGS#1", b"[\"bob\",\"carol\"]",
         b"c2c_bob", b"{\"user_profile_identifier\":18446744073709551616}", b"[" * 600 + b"]" * 600]
NUMBERS = [0, 1, 2, 3, 7, -1, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**64 - 1]


def keys():
    """Every key of the interface, to make objects that look right."""
    with open(os.path.join(tim.ROOT, "tests", "contract", "tim-c-api.json"), encoding="utf-8") as f:
        return [k["key"] for s in json.load(f)["json"] for k in s["keys"] if "output_console" not in k["key"]]


class Fuzz:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lib = tim.Library()
        self.keys = keys()
        self.names = [f.name for f in self.lib.functions.values() if not f.setter and f.name not in SPARE | tim.INSTANCES]
        self.out = ctypes.create_string_buffer(1 << 12)
        self.made, self.names_of = [], {}
        self.instances, self.destroyed = [0], 0
        self.bad = []
        self.lib.hook = self.look

    def look(self, word, args):
        for a in args:
            if not isinstance(a, str):
                continue
            try:
                a.encode("utf-8")
                if a[:1] in ("{", "["):
                    json.loads(a)
            except ValueError as e:
                self.bad.append(f"{self.names_of.get(word, word)}: {e}: {a[:200]!r}")

    def value(self, depth=0):
        r = self.random
        kind = r.randrange(8 if depth < 3 else 5)
        if kind == 0:
            return r.choice(["", "bob", "fuzz_alice", "x" * 50, "\x00\x01", "你好", "@TGS#1", "nope-1-2"])
        if kind == 1:
            return r.choice(NUMBERS)
        if kind == 2:
            return r.choice([True, False, None, 1.5, -0.0])
        if kind == 3:
            return r.randrange(12)
        if kind == 4:
            return []
        if kind == 5:
            return [self.value(depth + 1) for _ in range(r.randrange(4))]
        return {r.choice(self.keys): self.value(depth + 1) for _ in range(r.randrange(6))}

    def message(self):
        m = self.value(2) if self.random.random() < .1 else {}
        m = m if isinstance(m, dict) else {}
        m["message_elem_array"] = [{"elem_type": self.random.choice([0, 3, 6, 7, 99]), "text_elem_content": "t", "custom_elem_data": "d",
                                    self.random.choice(self.keys): self.value(2)}]
        return m

    def text(self, p):
        r = self.random
        x = r.random()
        if x < .1:
            return None
        if x < .3:
            return r.choice(TEXTS)
        if p.json == "object":
            v = self.message() if "msg" in p.name else {r.choice(self.keys): self.value() for _ in range(r.randrange(6))}
        elif p.json == "array":
            v = [self.message() if "msg" in p.name else self.value() for _ in range(r.randrange(4))]
        else:
            return r.choice([b"bob", b"carol", b"fuzz_alice", b"@TGS#1", b"x" * 40])
        if p.json and r.random() < .2:
            b = bytearray(json.dumps(v, ensure_ascii=False).replace("\0", "").encode())
            for _ in range(r.randrange(1, 4)):
                b[r.randrange(len(b))] = r.randrange(1, 256)
            return bytes(b)
        return json.dumps(v).encode()

    def instance(self):
        """Makes, picks or destroys an instance. Most calls shall go to instance 0, which is logged in."""
        r, raw = self.random, self.lib.raw
        known = r.choice(self.instances + [-1, 10**9])
        act = r.choice(["Create", "SetCurrent", "SetCurrent", "Destroy"])
        if act == "Create" and len(self.instances) < 20:
            made = raw("TIMExtInstanceCreate")()
            assert made not in self.instances and made > 0, made
            self.instances.append(made)
            if r.random() < .3:
                assert raw("TIMExtInstanceSetCurrent")(made) == 0
                folder = json.dumps({"sdk_config_log_file_path": "log", "sdk_config_config_file_path": "data%d" % made})
                assert self.lib.call("TIMInit", sdk_app_id=1, json_sdk_config=folder)[0] == 0
        elif act == "SetCurrent":
            assert raw("TIMExtInstanceSetCurrent")(known) == (0 if known in self.instances else -4), known
        elif act == "Destroy":
            there = known != 0 and known in self.instances
            assert raw("TIMExtInstanceDestroy")(known) == (0 if there else -4), known
            if there:
                self.instances.remove(known)
                self.destroyed += 1
        if r.random() < .5:
            assert raw("TIMExtInstanceSetCurrent")(0) == 0

    def one(self):
        if self.random.random() < .02:
            self.instance()
        fn = self.lib.functions[self.random.choice(self.names)]
        args, recorded = {}, fn.callback is not None
        for p in fn.params:
            if p.kind == "s":
                args[p.name] = self.text(p)
                if "msg" in p.name and not p.json:
                    continue
            elif p.kind == "n":
                args[p.name] = self.random.choice(NUMBERS + [1, 2] * 4)
            elif p.kind == "o":
                args[p.name] = ctypes.addressof(self.out)
        if fn.callback and self.random.random() < .1:
            args[fn.callback.name], recorded = None, False
        word = self.lib.word()
        self.names_of[word] = fn.name
        ret, _ = self.lib.call(fn.name, word=word, **args)
        self.made.append((fn.name, ret, word, recorded))

    def judge(self):
        assert self.lib.raw("TIMExtInstanceSetCurrent")(0) == 0
        for name, ret, word, recorded in self.made:
            if recorded and ret == 0:
                self.lib.wait(word, 200)
        for instance in self.instances:
            assert self.lib.raw("TIMExtInstanceSetCurrent")(instance) == 0
            self.lib.barrier()
        accepted = 0
        for name, ret, word, recorded in self.made:
            accepted += ret == 0
            # TIMMsgSendNewMsgEx has a second callback, for the id, with the same word.
            want = (2 if name == "TIMMsgSendNewMsgEx" else 1) if recorded and ret == 0 else 0
            got = self.lib.count(word)
            if name == "TIMMsgSendNewMsgEx" and ret == 0:
                assert got in (1, 2), f"{name}: {got} callbacks"
            else:
                assert got == want, f"{name} returned {ret}: {got} callbacks, want {want}"
        assert not self.bad and not self.lib.errors, (self.bad + self.lib.errors)[:5]
        n = len(self.made)
        self.made = []
        self.lib.got.clear()
        self.names_of.clear()
        return n, accepted


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"fuzz: seed {seed}", file=sys.stderr)
    with_server = "TIMBRED" in os.environ
    folder = tempfile.mkdtemp(prefix="timbre-test-")
    atexit.register(shutil.rmtree, folder, True)
    os.chdir(folder)
    f = Fuzz(seed)
    lib, config = f.lib, json.dumps({"sdk_config_log_file_path": "log", "sdk_config_config_file_path": "data"})
    assert lib.call("TIMInit", sdk_app_id=int(os.environ.get("TIMBRE_APP", "1400000001")), json_sdk_config=config)[0] == 0
    if with_server:
        ret, word = lib.call("TIMLogin", user_id="fuzz_alice", user_sig=inside.sig("fuzz_alice"))
    else:
        ret, word = lib.call("callExperimentalAPI", json_param=json.dumps({
            "request_internal_operation": "internal_operation_init_local_storage",
            "request_init_local_storage_user_id_param": "fuzz_alice"}))
    assert ret == 0 and lib.wait(word)[0] == 0
    total = accepted = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(500):
            f.one()
        n, a = f.judge()
        total, accepted = total + n, accepted + a
    for instance in f.instances:
        assert lib.raw("TIMExtInstanceDestroy")(instance) == (-4 if instance == 0 else 0)
    assert lib.raw("TIMExtInstanceSetCurrent")(0) == 0 and lib.call("TIMUninit")[0] == 0
    assert f.destroyed or total < 10000, "no instance was destroyed"
    print(f"ok fuzz: {total} random calls {'logged in' if with_server else 'on the local database'}, {accepted} accepted, "
          f"each called back exactly once with valid JSON, while {f.destroyed} instances were destroyed (seed {seed})")


if __name__ == "__main__":
    main()
