"""Holds the JSON of messages to tests/contract/local.json: one run without a network in which messages of each element
type are imported, saved, listed, found, located and changed.

The steps are repeated here with their recorded arguments; a recorded message inside an argument is replaced by ours at
its place. Every key must be there with the recorded JSON type, and with the recorded value unless the value is an
accident of the recording (CHANGING). Beyond the recorded keys only older spellings of keys may occur.
"""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "python")]
import tim  # noqa: E402

# Times are the caller's here and now in the record (docs/compat.md); the others are numbered or drawn.
# The status of a failed send is 3 here and 1, still sending, in the record.
# What belongs to groups comes with them.
GROUP_KEYS = {"message_sender_group_member_info", "message_is_read"}
CHANGING = {"message_client_time", "message_server_time", "message_msg_id", "message_rand", "message_seq",
            "message_unique_id"}
FUNCTIONS = {"TIMMsgImportMsgList", "TIMMsgSaveMsg", "TIMMsgGetMsgList", "TIMMsgFindMessages",
             "TIMMsgFindByMsgLocatorList", "TIMMsgSetLocalCustomData", "TIMMsgSendMessage"}


def load(name):
    with open(os.path.join(tim.ROOT, "tests", "contract", name), encoding="utf-8") as f:
        return json.load(f)


def kind(value):
    """The JSON type; an integer and a fraction are both numbers."""
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


class Comparison:
    def __init__(self, groups):
        self.groups = groups  # whether groups are built
        self.older = {o for all_ in load("tim-c-api.json")["older_versions"]["respelled_keys"].values() for o in all_}
        self.problems, self.messages, self.ours = [], 0, {}

    def same(self, at, want, got):
        if kind(want) != kind(got):
            self.problems.append(f"{at}: want a {kind(want)}, got {got!r}")
        elif isinstance(want, dict):
            if want.get("message_conv_type") == 2 and not self.groups:
                want = {k: v for k, v in want.items() if k not in GROUP_KEYS}
                got = {k: v for k, v in got.items() if k not in GROUP_KEYS}
            for k in want.keys() - got.keys():
                self.problems.append(f"{at}: {k} is missing")
            for k in got.keys() - want.keys() - self.older:
                self.problems.append(f"{at}: {k} is not in the record")
            for k in want.keys() & got.keys():
                if k in CHANGING and kind(want[k]) == kind(got[k]):
                    continue
                self.same(f"{at}.{k}", want[k], got[k])
            if "message_msg_id" in want:
                self.messages += 1
                self.ours[want["message_msg_id"]] = got
                self.ours[want["message_seq"], want["message_rand"]] = got
        elif isinstance(want, list):
            if len(want) != len(got):
                self.problems.append(f"{at}: want {len(want)} elements, got {len(got)}")
            for i, (w, g) in enumerate(zip(want, got)):
                self.same(f"{at}[{i}]", w, g)
        elif want != got:
            self.problems.append(f"{at}: want {want!r}, got {got!r}")

    def translate(self, value):
        """A recorded argument with our messages in the place of the recorded ones."""
        if isinstance(value, str):
            return self.ours[value]["message_msg_id"] if value in self.ours else value
        if isinstance(value, list):
            return [self.translate(v) for v in value]
        if not isinstance(value, dict):
            return value
        if "message_locator_seq" in value:
            m = self.ours[value["message_locator_seq"], value["message_locator_rand"]]
            return dict(value, message_locator_seq=m["message_seq"], message_locator_rand=m["message_rand"],
                        message_locator_time=m["message_server_time"])
        if value.get("message_msg_id") in self.ours:
            changed = {k: v for k, v in value.items() if k.startswith("message_custom_") and isinstance(v, (int, str))}
            return dict(self.ours[value["message_msg_id"]], **changed)
        return {k: self.translate(v) for k, v in value.items()}


def child():
    lib = tim.Library()
    c = Comparison(lib.functions["TIMGroupCreate"].built)
    folder = {"sdk_config_log_file_path": "log", "sdk_config_config_file_path": "data"}
    for step in load("local.json"):
        fn = lib.functions[step["fn"]]
        if step["step"] == "init":
            assert lib.call("TIMInit", sdk_app_id=step["args"][0], json_sdk_config=json.dumps(folder))[0] == 0
        elif step["step"] == "local storage":
            ret, word = lib.call(fn.name, json_param=json.dumps(step["args"][0]))
            assert ret == 0 and lib.wait(word)[0] == 0
        elif step["step"] == "login":
            assert lib.call(fn.name, user_id="alice", user_sig="eJx")[0] == 0
        elif fn.name in FUNCTIONS:
            one(lib, c, fn, step)
    lib.call("TIMUninit")
    print(json.dumps([c.problems + lib.errors, c.messages]))


def comparable(got, want):
    """The record's lists leave out an imported message of the user's own, and put messages of one moment in any order;
    here they are in, and the caller's times order them (docs/compat.md)."""
    got = [m for m in got if m["message_sender"] != "alice"]
    if len(want) == len(got) and len({m["message_client_time"] for m in want}) == 1:
        got.sort(key=lambda m: [w["message_sender"] for w in want].index(m["message_sender"]))
    return got


def one(lib, c, fn, step):
    args = {}
    for p, value in zip([p for p in fn.params if p.kind in "sn"], step["args"]):
        value = c.translate(value)
        args[p.name] = value if isinstance(value, (int, str)) else json.dumps(value)
    ret, word = lib.call(fn.name, **args)
    want = step["callbacks"][0]
    if ret != step["ret"]:
        c.problems.append(f"{step['step']}: returned {ret}")
        return
    code, _, text = lib.wait(word)
    if fn.name == "TIMMsgSendMessage":  # the code depends on the network, the message does not
        code, want["json"]["message_status"] = want["code"], 3
    if code != want["code"]:
        c.problems.append(f"{step['step']}: code {code}, want {want['code']}")
        return
    got = json.loads(text) if text[:1] in ("{", "[") else text
    if fn.name == "TIMMsgGetMsgList":
        got = comparable(got, want["json"])
    c.same(step["step"], want["json"], got)


def compare(url):
    """The differences, and how many messages were compared. url: a server that never answers."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([sys.executable, os.path.abspath(__file__)], cwd=folder, timeout=400, text=True,
                             stdout=subprocess.PIPE, env=dict(os.environ, TIM_SERVER_URL=url,
                             TIMBRE_LIB_DIR=os.path.dirname(os.path.abspath(tim.LIBRARY))))
    if run.returncode != 0:
        return [f"the run for local.json ended with {run.returncode}"], 0
    problems, messages = json.loads(run.stdout.splitlines()[-1])
    return problems, messages


if __name__ == "__main__":
    child()
