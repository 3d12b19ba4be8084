"""Texts that are passed on: to a user, a group, a live room and one's own devices. Nothing is kept of them."""
from test_live import room_of
from timbre import C2C, DISCONNECTED, GROUP, check, equal, poll

EVENT = "TIMExtSetEventCallback"
OWN = 0


def trans(client, peer, kind, cmd, code=0, **keys):
    r = client.ask("TIMExtSendTransMsg", peer, kind, dict({"ext_trans_cmd": cmd}, **keys))
    equal(r.code, code, "%s to %s" % (cmd[:20], peer))


def got(client, cmd, after=0):
    """Waits for a text and returns what came with it."""
    e = client.event(EVENT, lambda e: e.json()[0]["ext_trans_cmd"] == cmd, after, what="the text " + cmd)
    equal((len(e.json()), e.args[1], e.json()[0]["ext_event_type"]), (1, False, 1002), "the event")
    return e.json()[0]


def heard(client):
    return [e.json()[0]["ext_trans_cmd"] for e in client.events(EVENT)]


def settled(a, *others):
    """A message to each goes through: what was passed on before has come before it."""
    for c in others:
        a.text(c.name, "last of all")
        c.incoming("last of all")


def test_to_a_user(t):
    t.own_server(devices="all")
    alice, alice2, bob, bob2 = t.users("alice", "alice", "bob", "bob")
    trans(alice, bob.name, C2C, "dance 💃")
    for c in (bob, bob2):
        e = got(c, "dance 💃")
        equal((e["ext_trans_kind"], e["ext_event_from"], e["ext_event_conv_id"], e["ext_event_conv_type"], e["ext_event_is_self_device"]),
              (3, alice.name, alice.name, C2C, False), "what came with it")
        check(e["ext_event_id"] and e["ext_event_time_ms"] > 1e12 and "ext_trans_platform" not in e, "keys: %s" % e)
    trans(bob, bob.name, C2C, "to myself")
    equal((got(bob2, "to myself")["ext_event_is_self_device"], got(bob2, "to myself")["ext_trans_kind"]), (True, 3), "to oneself")
    settled(alice, bob)
    equal((heard(alice), heard(alice2), heard(bob)), ([], [], ["dance 💃"]), "who heard it besides")
    equal((len(bob.conversations()), bob.unread(alice.name), bob.texts(alice.name)), (1, 1, ["last of all"]), "what is kept")


def test_to_own_devices(t):
    """By their platforms; these here are PCs."""
    t.own_server(devices="all")
    one, two = t.users("alice", "alice")
    trans(one, "", OWN, "to all")
    trans(one, "", OWN, "to PCs", ext_trans_platform=4)
    trans(one, "", OWN, "to phones", ext_trans_platform=1)
    trans(one, "", OWN, "to all of them", ext_trans_platform=255)
    e = got(two, "to PCs")
    equal((e["ext_trans_kind"], e["ext_trans_platform"], e["ext_event_is_self_device"], e["ext_event_conv_id"], e["ext_event_conv_type"]),
          (5, 4, True, "", 0), "what came with it")
    got(two, "to all of them")
    equal((heard(one), heard(two)), ([], ["to all", "to PCs", "to all of them"]), "who heard it")
    trans(one, "", OWN, "x", 6017, ext_trans_platform=9)


def test_to_groups(t):
    t.own_server(devices="all")
    alice, alice2, bob, eve = t.users("alice", "alice", "bob", "eve")
    group = alice.ok("TIMGroupCreate", {
        "create_group_param_group_name": "team", "create_group_param_group_type": 1,
        "create_group_param_group_member_array": [{"group_member_info_identifier": bob.name}]}).json["create_group_result_groupid"]
    room = room_of(alice)
    bob.ok("TIMGroupJoin", room, "")
    for where in (group, room):
        trans(alice, where, GROUP, "to " + where)
        e = got(bob, "to " + where)
        equal((e["ext_trans_kind"], e["ext_event_conv_id"], e["ext_event_conv_type"], e["ext_event_from"]),
              (4, where, GROUP, alice.name), "what came with it")
        trans(eve, where, GROUP, "x", 10007)
    got(alice2, "to " + group)
    settled(alice, bob, eve)
    equal((heard(alice), heard(alice2), heard(eve)), ([], ["to " + group], []), "who heard it besides")


def test_who_is_away(t):
    """He never gets it; a user who does not want to hear of another does not either."""
    t.own_server(devices="all")
    alice, bob = t.users("alice", "bob")
    bob.logout()
    trans(alice, bob.name, C2C, "missed")
    bob.login()
    bob.ok("TIMExtSetReceiveOpt", {"ext_opt_conv_id": alice.name, "ext_opt_conv_type": C2C, "ext_opt_shield": True})
    trans(alice, bob.name, C2C, "unwanted")
    bob.ok("TIMExtSetReceiveOpt", {"ext_opt_conv_id": alice.name, "ext_opt_conv_type": C2C, "ext_opt_shield": False})
    trans(alice, bob.name, C2C, "heard")
    got(bob, "heard")
    equal(heard(bob), ["heard"], "what bob heard")


def test_refused(t):
    server = t.own_server()
    alice, bob = t.users("alice", "bob")
    trans(alice, bob.name, C2C, "", 6017)
    trans(alice, bob.name, C2C, "x" * 4097, 6017)
    trans(alice, "", C2C, "x", 6017)
    trans(alice, bob.name, OWN, "x", 6017)
    trans(alice, "nobody", C2C, "x", 20003)
    trans(alice, "nowhere", GROUP, "x", 10010)
    equal(alice.call("TIMExtSendTransMsg", bob.name, C2C, {}).rc, -3, "no command")
    def many():
        calls = [alice.begin("TIMExtSendTransMsg", bob.name, C2C, {"ext_trans_cmd": "x"}) for _ in range(60)]
        return 7008 in [c.wait().code for c in calls]
    poll(many, "60 at once are not too many")  # a busy machine may take longer than a second for them
    alice.listen(EVENT, False)
    server.stop()
    alice.network(DISCONNECTED)
    alice.packet_timeout(1)
    r = alice.ask("TIMExtSendTransMsg", bob.name, C2C, {"ext_trans_cmd": "x"})
    check(9508 <= r.code <= 9525, "without a network it ended with %r" % r)
    alice.logout()
    equal(alice.ask("TIMExtSendTransMsg", bob.name, C2C, {"ext_trans_cmd": "x"}).code, 6014, "nobody is logged in")
