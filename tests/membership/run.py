#!/usr/bin/env python3
"""Who comes and goes while connections break and processes die: nobody ever sees a message from after he left, or, where the type of the
group forbids it, from before he came; and nobody lacks one from between.

    tests/membership/run.py [--seconds N] [--seed N] [--full]

A server, an owner with a good line, and three users with two devices each behind proxies. The owner says something, lets somebody in,
removes somebody, in groups of every type, one thing after the other, so that it is known who was in for each message. Meanwhile another
thread cuts and shuts the users' lines and kills their processes, and now and then the server dies, too. In the end every device is looked
at: what was announced in all of its lives, its histories, its conversations, and the bytes in its folder.
"""
import argparse
import collections
import glob
import os
import random
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE] + [os.path.join(os.path.dirname(HERE), d) for d in ("python", "matrix")]
sys.dont_write_bytecode = True
import timbre  # noqa: E402
from proxy import Proxy  # noqa: E402
from timbre import GROUP, Failure, check, equal, text_elem, text_of  # noqa: E402

# name: type, newcomers see what was said before
TYPES = {"Work": (1, False), "Public": (0, False), "Meeting": (2, True), "Community": (5, True), "Topics": (5, True), "Live": (4, False)}
USERS, DEVICES, ANY = ("bea", "cyd", "dot"), 2, 2
TOKEN = re.compile(rb"<m\d+>")


class Room:
    """A group and who was in it for each of its messages."""

    def __init__(self, owner, name):
        self.name, (self.type, self.past) = name, TYPES[name]
        self.live = name == "Live"
        param = {"create_group_param_group_name": name, "create_group_param_group_type": self.type}
        if not self.live:
            param.update(create_group_param_add_option=ANY, create_group_param_approve_option=ANY)
        if name == "Topics":
            param["create_group_param_is_support_topic"] = True
        self.group = owner.ok("TIMGroupCreate", param).json["create_group_result_groupid"]
        self.talk = self.group  # where something is said
        if name == "Topics":
            self.talk = owner.ok("TIMCommunityCreateTopicInCommunity", self.group, {"group_topic_info_topic_name": "topic"}).text
        self.members, self.said = set(), []  # said: [text, members then]
        self.since = {}  # messages that there were when a user came in last
        self.listeners = collections.defaultdict(set)  # of a live room: a user's devices that may be in it, each for itself
        self.ever = collections.defaultdict(set)

    def enter(self, user):
        self.members.add(user)
        self.since[user] = len(self.said)

    def may_see(self, user):
        """Texts that a user may see on some device of his."""
        return {text for i, (text, members) in enumerate(self.said) if user in members or self.past and i < self.since.get(user, 0)}

    def must_see(self, user):
        """Texts of his present membership, oldest first; all where newcomers see them."""
        if user not in self.members or self.live:
            return []
        return [text for text, _ in self.said[0 if self.past else self.since[user]:]]


class Device:
    """A user's process behind a proxy. The lock is held by whoever calls it or kills it."""

    def __init__(self, user, server):
        self.user, self.lock = user, threading.Lock()
        self.proxy = Proxy(lambda: ("127.0.0.1", server.port))
        self.client = timbre.Client(user, url=self.proxy.url).start()

    def close(self):
        self.client.close()
        self.proxy.close()


class Stage:
    def __init__(self, seed):
        self.chance, self.trouble, self.over = random.Random(seed), random.Random(seed + 1), threading.Event()
        self.server = timbre.Server(devices="all", options=["--group-rate", "0"]).start()
        self.owner = timbre.Client("owner", self.server).start()
        self.devices = [Device(u, self.server) for u in USERS for _ in range(DEVICES)]
        self.rooms = [Room(self.owner, name) for name in TYPES]
        self.count, self.done, self.wrong = 0, collections.Counter(), []

    def close(self):
        for d in self.devices:
            d.close()
        self.owner.close()
        self.server.close()

    # ---- what happens, one thing after the other

    def say(self, room):
        self.count += 1
        text = "<m%d>" % self.count
        self.owner.text(room.talk, text, kind=GROUP)
        room.said.append((text, frozenset(room.members)))

    def let_in(self, room, user):
        if room.live:
            return self.himself(room, user, "TIMGroupJoin", room.group, "")
        r = self.owner.ok("TIMGroupInviteMember", {"group_invite_member_param_group_id": room.group,
                                                   "group_invite_member_param_identifier_array": [user]})
        equal(r.json[0]["group_invite_member_result_result"], 1, "result of inviting %s to %s" % (user, room.name))
        room.enter(user)

    def remove(self, room, user):
        self.owner.ok("TIMGroupDeleteMember", {"group_delete_member_param_group_id": room.group,
                                               "group_delete_member_param_identifier_array": [user]})
        room.members.discard(user)
        room.listeners[user].clear()

    def himself(self, room, user, *call):
        """The user comes or goes by himself. His line may break meanwhile; then the owner knows what became of it."""
        device = self.chance.choice([d for d in self.devices if d.user == user])
        with device.lock:
            code = device.client.ask(*call, timeout=2 * timbre.DEADLINE).code
        if room.live:
            return self.listens(room, device, call[0] == "TIMGroupJoin", code)
        there = user in self.members(room)
        check(code != 0 or there == (call[0] == "TIMGroupJoin"), "%s of %s in %s: success, and he is %s" % (
            call[0], user, room.name, "there" if there else "not there"))
        if there and user not in room.members:
            room.enter(user)
        elif not there:
            room.members.discard(user)

    def listens(self, room, device, comes, code):
        """A live room has devices: one that has come may hear what is said there, and need not when its line breaks. With one that comes
        all those may come again that did not hear of the user's removal."""
        mine, ever = room.listeners[device.user], room.ever[device.user]
        if comes:
            ever.add(device)
            mine |= ever
        elif code == 0:
            mine.discard(device)
            ever.discard(device)
        (room.members.add if mine else room.members.discard)(device.user)

    def members(self, room):
        page = self.owner.ok("TIMGroupGetMemberInfoList", {"group_get_members_info_list_param_group_id": room.group})
        return {m["group_member_info_identifier"] for m in page.json["group_get_member_info_list_result_info_array"]}

    def restart(self):
        self.server.stop(hard=True)
        self.server.start()
        for room in self.rooms:  # it remembers nobody who was in a live room: the devices come again, and all of them may hear what is
            if room.live:        # said there; those of users who were removed may not, even where they did not hear of it
                room.listeners = collections.defaultdict(set, {u: set(room.ever[u]) for u in room.members})
        self.owner.call("TIMExtNotifyNetworkChanged")
        timbre.poll(lambda: self.owner.ask("TIMMsgGetC2CReceiveMessageOpt", ["owner"]).code == 0, "the server does not come back")

    def step(self):
        room, user = self.chance.choice(self.rooms), self.chance.choice(USERS)
        what = self.chance.random()
        if what < 0.6:
            self.say(room)
        elif what > 0.995:
            self.restart()
            self.done["kills of the server"] += 1
        elif user not in room.members:
            if what < 0.7 and not room.live:
                self.himself(room, user, "TIMGroupJoin", room.group, "")
            else:
                self.let_in(room, user)
            self.done["entries"] += 1
        elif what < 0.75:
            self.himself(room, user, "TIMGroupQuit", room.group)
            self.done["exits"] += 1
        else:
            self.remove(room, user)
            self.done["exits"] += 1

    # ---- what befalls the devices meanwhile

    def befall(self):
        while not self.over.wait(self.trouble.uniform(0.01, 0.08)):
            d, what = self.trouble.choice(self.devices), self.trouble.random()
            if what < 0.6:
                d.proxy.cut()
                self.done["cuts"] += 1
            elif what < 0.85:
                d.proxy.shut(True)
                self.over.wait(self.trouble.uniform(0.01, 0.3))
                d.proxy.shut(False)
                self.done["outages"] += 1
            elif d.lock.acquire(blocking=False):
                try:
                    self.reborn(d)
                    self.done["kills"] += 1
                except Failure as e:
                    self.wrong.append(str(e))
                finally:
                    d.lock.release()

    def reborn(self, d):
        """Another process with the same folder. The server may die while it logs in; then it tries again."""
        deadline = time.monotonic() + timbre.DEADLINE
        login = d.client.again
        while True:
            try:
                return login()
            except Failure:
                if time.monotonic() > deadline or d.client.process.poll() is not None:
                    raise
            time.sleep(0.05)  # between two tries
            login = d.client.login

    # ---- what is true in the end

    def rest(self):
        for room in self.rooms:
            self.say(room)
        for d in self.devices:
            d.proxy.heal()
            d.client.call("TIMExtNotifyNetworkChanged")
            for room in self.rooms:
                if not room.live:
                    self.complete(d, room)
            self.nothing_else(d)

    def complete(self, d, room):
        want = room.must_see(d.user)
        name = "%s on a device of %s" % (room.name, d.user)
        deadline = time.monotonic() + timbre.DEADLINE
        while True:
            got = self.history(d.client, room.talk)
            if got[len(got) - len(want):] == want:
                break
            check(time.monotonic() < deadline, "%s: the history is %s, and not %s" % (name, got, want))
            time.sleep(0.02)  # between two looks
        check(set(got) <= room.may_see(d.user), "%s: the history has %s" % (name, sorted(set(got) - room.may_see(d.user))))

    def where(self, text):
        return next(room.name for room in self.rooms for said, _ in room.said if said == text)

    def history(self, client, conversation):
        got, last = [], None
        while True:
            page = client.history(conversation, 100, last=last, kind=GROUP)
            if not page:
                return [t for t in got[::-1] if t]
            got, last = got + [text_of(m) if m["message_elem_array"] else None for m in page], page[-1]

    def nothing_else(self, d):
        may = set().union(*(room.may_see(d.user) for room in self.rooms))
        told = [text_of(m) for m in d.client.received() if m["message_elem_array"] and text_of(m)]
        check(set(told) <= may, "%s was told of %s" % (d.user, [(text, self.where(text)) for text in sorted(set(told) - may)]))
        doubles = [t for t, n in collections.Counter(told).items() if n > 1]
        check(not doubles, "a device of %s was told twice of %s" % (d.user, doubles))
        for c in d.client.conversations():
            text = text_of(c["conv_last_msg"]) if (c.get("conv_last_msg") or {}).get("message_elem_array") else None
            check(not text or text in may, "%s: the last message of a conversation is %s" % (d.user, text))
        for file in glob.glob(os.path.join(d.client.folder, "data/**"), recursive=True):
            if os.path.isfile(file):
                try:
                    with open(file, "rb") as f:
                        there = {t.decode() for t in TOKEN.findall(f.read())}
                except FileNotFoundError:  # the process lives
                    continue
                check(there <= may, "%s of %s has the bytes of %s" % (os.path.basename(file), d.user, sorted(there - may)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    full = os.environ.get("TIMBRE_TEST") == "full" or os.environ.get("CI") == "true"
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("TIMBRE_TEST_SECONDS") or (60 if full else 6)))
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print("seed %d" % options.seed, flush=True)
    stage = Stage(options.seed)
    try:
        trouble = threading.Thread(target=stage.befall)
        trouble.start()
        end = time.monotonic() + options.seconds
        try:
            while time.monotonic() < end:
                stage.step()
        finally:
            stage.over.set()
            trouble.join()
        equal(stage.wrong, [], "what went wrong with killed devices")
        stage.rest()
    except Failure as e:
        print("FAIL (seed %d, after %s): %s" % (options.seed, dict(stage.done), e))
        return 1
    finally:
        stage.close()
    print("%d messages, %s: everybody saw what was for him" % (
        stage.count, ", ".join("%d %s" % (n, what) for what, n in sorted(stage.done.items()))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
