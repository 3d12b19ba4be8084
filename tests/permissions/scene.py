"""The stage of the permission tests: a server, users who each play one role, and groups in which they play it."""
import json
import os
import subprocess
import threading

import timbre
from timbre import ADD, GROUP, ROOT, equal

ADMIN, ALL_RIGHTS = 300, (1 << 11) - 1
# How a role stands in the table: who left is outside, who is muted is a member.
STANDING = {"left": "outsider", "muted": "member"}
PLAYERS = ("owner", "admin", "member", "outsider", "left", "muted")
TARGETS = ("admin2", "member2", "outsider2")
RANK = {"owner": 400, "admin": 300, "admin2": 300, "member": 200, "member2": 200, "muted": 200}


def table(options):
    """The rules of a timbred with these options, by the name of the type."""
    text = subprocess.run(["go", "run", "./server/config/grouprules", "--json"] + list(options), cwd=ROOT, check=True,
                          stdout=subprocess.PIPE, text=True, env=dict(os.environ, CGO_ENABLED="0")).stdout
    rules = {r["name"]: r for r in json.loads(text)}
    rules["Topics"] = dict(rules["Community"], name="Topics")  # a community with topics
    rules["Rights"] = dict(rules["Community"], name="Rights")  # one in which permission groups decide
    return rules


class World:
    """A server and its users; each is a process with the library. The scenes in it are kept for the next case that needs the like."""

    def __init__(self, name, options=()):
        self.name, self.rules, self.scenes = name, table(options), {}
        self.server = timbre.Server(devices="all", options=["--group-rate", "0"] + list(options)).start()
        self.users = {}
        makers = [threading.Thread(target=self.enter, args=(n,)) for n in PLAYERS + TARGETS]
        for t in makers:
            t.start()
        for t in makers:
            t.join()
        equal(sorted(self.users), sorted(PLAYERS + TARGETS), "the users who are logged in")

    def enter(self, name):
        self.users[name] = timbre.Client(name, self.server).start()

    def scene(self, kind, role, options):
        key = (kind, role, tuple(sorted(options.items())))
        if key not in self.scenes:
            self.scenes[key] = Scene(self, kind, role, dict(options))
        return self.scenes[key]

    def spoilt(self, scene):
        """Forgets a scene in which something has changed. Nobody needs its group any more, and a user is in 1,000 at most."""
        self.scenes = {k: s for k, s in self.scenes.items() if s is not scene}
        scene.close()

    def close(self):
        for c in self.users.values():
            c.close()
        self.server.close()


class Scene:
    """A group in which the actor has his role. Options are those of creating it; muted_all mutes everybody."""

    def __init__(self, world, kind, role, options):
        self.world, self.kind, self.role, self.rules = world, kind, role, world.rules[kind]
        self.actor, self.owner = world.users[role], world.users["owner"]
        self.standing = STANDING.get(role, role)
        self.live, self.kept = self.rules["live"], {}
        muted_all = options.pop("muted_all", False)
        if "right_to" in options:  # everybody has this right and no other, or all others and not this
            right = self.rules["rights"][options.pop("right_to")]
            options["default_permissions"] = right if options.pop("granted") else ALL_RIGHTS & ~right
        mark = self.actor.mark()
        self.group = self.create(options)
        self.enter(mark)
        if muted_all and not self.rules["may"]["mute everybody"]["owner"]:
            self.owner.ok("TIMGroupModifyGroupInfo", {"group_modify_info_param_group_id": self.group,
                                                      "group_modify_info_param_modify_flag": 256, "group_modify_info_param_is_shutup_all": True})

    def create(self, options):
        keys = {"create_group_param_" + k: v for k, v in options.items()}
        if self.kind in ("Topics", "Rights"):
            keys["create_group_param_is_support_topic"] = True
            keys["create_group_param_enable_permission_group"] = self.kind == "Rights"
        if not self.live:
            names = [n for n in ("admin", "member", "left", "muted") if n == self.role] + ["member2"]
            if self.rules["admins"]:
                names.append("admin2")
            keys["create_group_param_group_member_array"] = [self.first(n) for n in names]
        return self.owner.ok("TIMGroupCreate", dict({
            "create_group_param_group_name": "a group", "create_group_param_group_type": self.rules["type"]}, **keys)).json[
                "create_group_result_groupid"]

    def first(self, name):
        member = {"group_member_info_identifier": name}
        if name.startswith("admin"):
            member["group_member_info_member_role"] = ADMIN
        return member

    def enter(self, mark):
        """Brings the actor into his role."""
        if self.live:
            self.audience()
        elif self.role in ("admin", "member", "left", "muted"):
            self.actor.conv_event(ADD, self.group, after=mark) if self.kind not in ("Topics", "Rights") else None
        if self.role == "left":
            self.actor.ok("TIMGroupQuit", self.group)
        if self.role == "muted":
            equal(self.set_member(self.owner, "muted", 4, shutup_time=3600), 0, "code of muting the actor")

    def audience(self):
        """Live rooms begin empty."""
        names = [n for n in ("admin", "member", "left", "muted") if n == self.role] + ["member2"]
        if self.rules["admins"]:
            names.append("admin2")
        for n in names:
            self.world.users[n].ok("TIMGroupJoin", self.group, "")
            if n.startswith("admin"):
                equal(self.set_member(self.owner, n, 2, member_role=ADMIN), 0, "code of making %s an admin" % n)

    def set_member(self, by, who, flags, **keys):
        return by.ask("TIMGroupModifyMemberInfo", dict({
            "group_modify_member_info_group_id": self.group, "group_modify_member_info_identifier": who,
            "group_modify_member_info_modify_flag": flags},
            **{"group_modify_member_info_" + k: v for k, v in keys.items()})).code

    def code(self, action):
        """What the table says about the actor."""
        return self.rules["may"][action][self.standing]

    def possible(self, action):
        """Can anybody do it in groups of this type?"""
        return not self.rules["may"][action]["owner"]

    def inside(self):
        return self.standing != "outsider"

    def message(self, by="member2", **keys):
        """A message of another member, which the actor has if he may."""
        sender, mark = self.world.users[by], self.actor.mark()
        if self.possible("extend messages and react to them"):
            keys["message_support_message_extension"] = True
        m = sender.text(self.group, "something", kind=GROUP, **keys)
        if self.inside() and self.actor is not sender:
            self.actor.incoming(lambda got: got["message_msg_id"] == m["message_msg_id"], after=mark)
        return m

    def keep(self, name, make):
        """Something that several cases use and none changes."""
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    def topic(self):
        """A topic of its own for each case; in groups that have none an id that could be one."""
        if self.kind != "Topics":
            return self.group + "@TOPIC#_x"
        return self.owner.ok("TIMGroupCreateTopicInCommunity", self.group, {"group_topic_info_topic_name": "a topic"}).text

    def rights(self):
        """A permission group, likewise."""
        if self.kind != "Topics":
            return "@PMG#_x"
        return self.owner.ok("TIMCommunityCreatePermissionGroupInCommunity", {
            "community_group_id": self.group, "permission_group_name": "some rights"}).text

    def close(self):
        if not self.rules["may"]["dismiss"]["owner"]:
            self.owner.begin("TIMGroupDelete", self.group)  # it may be gone already
        else:
            for n in ("owner", self.role, "member2"):
                self.world.users[n].begin("TIMGroupQuit", self.group)
