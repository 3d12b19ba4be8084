#!/usr/bin/env python3
"""Upgrades: what earlier releases left on the disk is opened by this one, and nothing is missing.

    tests/upgrade/run.py [NAME...]

fixtures/NAME.tar.gz is what make.py packed: the server's folder, the folders of alice, bob and carol, and facts.json, which says what each
of them saw. alice was killed with messages on their way. NAME picks the tests whose name contains it.
"""
import glob
import json
import os
import shutil
import sys
import tarfile
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "python")]
sys.dont_write_bytecode = True
import timbre  # noqa: E402
from state import history, message, seen  # noqa: E402
from talk import KEY  # noqa: E402
from timbre import C2C, GROUP, SENDING, SENT, check, equal, text_of  # noqa: E402

UNDER_WAY = ("on its way 0", "on its way 1", "accepted alone")


class Release:
    """An unpacked fixture, and what runs on it."""

    def __init__(self, file):
        self.folder, self.closing = tempfile.mkdtemp(prefix="timbre-upgrade-"), []
        with tarfile.open(file) as tar:
            tar.extractall(self.folder, filter="data")
        with open(os.path.join(self.folder, "facts.json")) as f:
            self.facts = json.load(f)
        self.sees, self.group, self.pending = self.facts["sees"], self.facts["group"], self.facts["pending"]

    def server(self, folder="server"):
        path = os.path.join(self.folder, folder)
        os.makedirs(path, exist_ok=True)
        s = timbre.Server(devices="all", folder=path, options=["--retention-days", "0"])  # a fixture grows older than the default
        self.closing.append(s.close)
        return s.start()

    def client(self, name, server, folder=None):
        """A process of this release, with the folder of the earlier one or a new one, before its login."""
        path = os.path.join(self.folder, folder or name)
        os.makedirs(path, exist_ok=True)
        c = timbre.Client(name, server, folder=path).init()
        self.closing.append(c.close)
        if name == "carol" and self.facts["encrypted"] and not folder:
            equal(c.experiment("set_database_encrypt_info", request_set_database_encrypt_info_param={
                "database_encrypt_info_encrypt_type": 4, "database_encrypt_info_encrypt_key": KEY}).code, 0, "carol's key")
        return c

    def close(self):
        for fn in reversed(self.closing):
            fn()
        shutil.rmtree(self.folder)


def settled(r, c):
    """Waits until what had been on its way is sent."""
    for id in r.pending:
        deadline = time.monotonic() + timbre.DEADLINE
        while c.ok("TIMMsgFindMessages", [id]).json[0]["message_status"] == SENDING:
            check(time.monotonic() < deadline, "%s is still on its way" % id)
            time.sleep(0.02)  # between two looks


def compare(r, name, now, but=()):
    """Everything that a user saw is there still, and nothing else; `but` are messages that came or changed since."""
    was = r.sees[name]
    check(set(was) <= set(now), "%s lists %s of %s" % (name, sorted(now), sorted(was)))
    for peer, before in was.items():
        after, what = now[peer], "%s's conversation with %s: " % (name, peer)
        equal([m for m in after["messages"] if m["id"] not in but], before["messages"], what + "the messages")
        for key in ("type", "tips", "option", "at"):
            equal(after[key], before[key], what + key)
        new = sum(1 for m in after["messages"] if m["id"] in but and m["sender"] != name)
        equal(after["unread"], before["unread"] + new, what + "unread")
        if not any(m["id"] in but for m in after["messages"]):
            equal(after["last"], before["last"], what + "the last message")


def test_everything_is_there(r):
    """Server and clients of the earlier release: lists, histories, unread counts, groups; the pending messages go out once."""
    server = r.server()
    alice = r.client("alice", server).login()
    settled(r, alice)
    equal([m["message_status"] for m in alice.ok("TIMMsgFindMessages", r.pending).json], [SENT] * len(r.pending), "what had been on its way")
    compare(r, "alice", seen(alice), r.pending)
    for name in ("bob", "carol"):
        c = r.client(name, server).login()
        for peer, kind in ((r.group, GROUP), ("alice", C2C)):
            if peer:
                history(c, peer, kind, cloud=True)  # a group's messages of the time away are fetched when somebody looks
        compare(r, name, seen(c), r.pending)
        got = [m["message_msg_id"] for m in c.received()]
        equal(len(got), len(set(got)), "announcements at " + name)
    stored = [bytes(content) for content, in server.database("SELECT content FROM msg ORDER BY pair, seq")]
    equal([t for content in stored for t in UNDER_WAY if t.encode() in content], list(UNDER_WAY), "what the server has of it, in order")


def test_a_new_device_sees_the_same(r):
    """What the upgraded server gives a device that has nothing: all but what only the old device knew."""
    server = r.server()
    for name in ("alice", "bob", "carol"):
        c = r.client(name, server, folder=name + "-new").login()
        for peer, was in r.sees[name].items():
            there = [m for m in was["messages"] if m["status"] in (SENT, 6) and m["seq"]]
            if not there:
                continue
            got = [message(m) for m in history(c, peer, was["type"], cloud=True)]
            got = [m for m in got if any(m["id"] == x["id"] for x in there)]
            plain = [dict(m, local="") for m in there]
            equal(got, plain, "the messages of %s with %s" % (name, peer))
            equal(c.unread(peer), was["unread"], "unread of %s with %s" % (name, peer))


def test_everything_works(r):
    """Functions of this release on the databases of the earlier one: talking, reading, pins, marks, groups, revoking, searching; and
    all of it is there after a restart."""
    server = r.server()
    alice, bob = r.client("alice", server).login(), r.client("bob", server).login()
    settled(r, alice)
    alice.text("bob", "after the upgrade")
    bob.incoming("after the upgrade")
    bob.text("alice", "here too")
    alice.incoming("here too")
    alice.ok("TIMMsgReportReaded", "bob", C2C, None)
    alice.ok("TIMConvPinConversation", "carol", C2C, True)
    alice.ok("TIMConvMarkConversation", ["c2c_bob"], 1, True)
    alice.ok("TIMConvSetConversationCustomData", ["c2c_bob"], "custom")
    old = next(m for m in history(alice, "bob", C2C) if said(m) == "talk 1")
    alice.ok("TIMMsgSetLocalCustomData", dict(old, message_custom_str="later"))
    alice.ok("TIMMsgDelete", "bob", C2C, {"msg_delete_param_msg": old, "msg_delete_param_is_ramble": True})
    pending = alice.ok("TIMMsgFindMessages", r.pending[:1]).json[0]
    alice.ok("TIMMsgRevoke", "bob", C2C, pending)
    bob.event("TIMSetMsgRevokeCallback", lambda e: pending["message_msg_id"] in e.args[0])
    group = r.group or alice.ok("TIMGroupCreate", {
        "create_group_param_group_name": "new", "create_group_param_group_type": 1, "create_group_param_group_member_array": [
            {"group_member_info_identifier": "bob"}]}).json["create_group_result_groupid"]
    alice.text(group, "to the group", kind=GROUP)
    bob.incoming("to the group")
    found(alice, "talk 3")
    for c in (alice, alice.again()):
        listed = {x["conv_id"]: x for x in c.conversations()}
        equal(c.conversations()[0]["conv_id"], "carol", "the first conversation, which is pinned")
        equal((listed["carol"]["conv_is_pinned"], listed["bob"]["conv_mark_array"], listed["bob"]["conv_custom_data"]), (True, [1], "custom"),
              "pin, mark, custom data")
        equal(c.unread("bob"), 0, "unread")
        texts = [said(m) for m in history(c, "bob", C2C, cloud=True)]
        check("talk 1" not in texts and "talk 3" in texts and texts[0] == "here too", "the history is %s" % texts)


def said(message):
    """The text of a message, None when it was revoked."""
    return text_of(message) if message["message_elem_array"] else None


def found(client, text):
    """Searches the database; messages of releases without an index get into it behind the login."""
    deadline = time.monotonic() + timbre.DEADLINE
    while True:
        r = client.ok("TIMMsgSearchLocalMessages", {"msg_search_param_keyword_array": [text], "msg_search_param_message_type_array": []})
        hits = [text_of(m) for c in (r.json.get("msg_search_result_item_array") or [])
                for m in c["msg_search_result_item_message_array"]] if r.text else []
        if text in hits:
            return
        check(time.monotonic() < deadline, "searching %r finds %s" % (text, hits))
        time.sleep(0.02)  # between two looks


def test_another_server(r):
    """An old folder against a server that knows nothing (another epoch): what the device has stays, what had been on its way is sent
    once, and talking goes on."""
    server = r.server("fresh")
    bob = r.client("bob", server, folder="bob-fresh").login()
    alice = r.client("alice", server).login()
    settled(r, alice)
    for text in UNDER_WAY:
        bob.incoming(text)
    now = seen(alice)
    for peer in ("bob", "carol", "nobody"):
        was = [m["id"] for m in r.sees["alice"][peer]["messages"]]
        check(set(was) <= {m["id"] for m in now[peer]["messages"]}, "messages with %s are gone" % peer)
    alice.text("bob", "another server")
    bob.incoming("another server")
    bob.text("alice", "so it is")
    alice.incoming("so it is")
    equal([m["message_msg_id"] for m in bob.received()].count(r.pending[0]), 1, "times that it came")
    equal(alice.texts("bob", 2), ["so it is", "another server"], "the newest messages")


def main():
    names, failed, begun = sys.argv[1:], [], time.monotonic()
    tests = [(n[5:], f) for n, f in globals().items() if n.startswith("test_")]
    count = 0
    for file in sorted(glob.glob(os.path.join(HERE, "fixtures", "*.tar.gz"))):
        for base, fn in tests:
            name = "%s: %s" % (os.path.basename(file).split(".")[0], base)
            if names and not any(n in name for n in names):
                continue
            count += 1
            r, start, error = Release(file), time.monotonic(), None
            try:
                fn(r)
            except Exception as e:
                error = traceback.format_exc() if not isinstance(e, timbre.Failure) else str(e)
            finally:
                r.close()
            print("%s %-50s %5.1f s" % ("FAIL" if error else "ok  ", name, time.monotonic() - start), flush=True)
            if error:
                failed.append(name)
                print("     " + error.replace("\n", "\n     "), flush=True)
    print("%d tests with databases of earlier releases, %d failed, %.1f s" % (count, len(failed), time.monotonic() - begun))
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
