"""Not disturbing and shielding are two switches of TIMExtSetReceiveOpt and one option of the TIM interface."""
from timbre import ADD, C2C, GROUP, UPDATE, check, equal

ALL = 0
RECEIVE, SHIELDED, QUIET, QUIET_BUT_MENTION = 0, 1, 2, 3


def switch(client, kind, peer="", code=0, **switches):
    param = {"ext_opt_conv_type": kind, "ext_opt_conv_id": peer}
    param.update({"ext_opt_" + k: v for k, v in switches.items()})
    equal(client.ask("TIMExtSetReceiveOpt", param).code, code, "code of %s" % (switches,))


def listed(client):
    """(for everything, {user: ...}, {group: ...}) as pairs (not disturbed, shielded)."""
    r = client.ok("TIMExtGetReceiveOptList").json

    def pair(x):
        return x["ext_opt_no_disturb"], x["ext_opt_shield"]

    def named(key):
        return {x["ext_opt_id"]: pair(x) for x in r[key]}
    check("ext_opt_id" not in r["ext_opt_global"], "the global one has an id")
    return pair(r["ext_opt_global"]), named("ext_opt_user_array"), named("ext_opt_group_array")


def option(client, kind, peer):
    if kind == GROUP:
        base = client.ok("TIMGroupGetJoinedGroupList").json
        return next(g["group_base_info_msg_flag"] for g in base if g["group_base_info_group_id"] == peer)
    return client.ok("TIMMsgGetC2CReceiveMessageOpt", [peer]).json[0]["msg_recv_msg_opt_result_opt"]


def set_option(client, kind, peer, n):
    if kind == GROUP:
        client.ok("TIMMsgSetGroupReceiveMessageOpt", peer, n)
    else:
        client.ok("TIMMsgSetC2CReceiveMessageOpt", [peer], n)


def places(t):
    t.own_server(devices="all")
    alice, alice2, bob = t.users("alice", "alice", "bob")
    group = alice.ok("TIMGroupCreate", {
        "create_group_param_group_name": "team", "create_group_param_group_type": 1,
        "create_group_param_group_member_array": [{"group_member_info_identifier": bob.name}]}).json["create_group_result_groupid"]
    for c in (alice2, bob):
        c.conv_event(ADD, group)
    return alice, alice2, bob, group


def test_two_views_of_one_state(t):
    alice, alice2, bob, group = places(t)
    for kind, peer in ((C2C, bob.name), (GROUP, group)):
        def now(what, want, pair):
            equal(option(alice2, kind, peer), want, "%s: option" % what)
            _, users, groups = listed(alice2)
            equal(dict(users, **groups).get(peer, (False, False)), pair, "%s: switches" % what)
        now("at first", RECEIVE, (False, False))
        switch(alice, kind, peer, no_disturb=True)
        now("not disturbed", QUIET, (True, False))
        switch(alice, kind, peer, shield=True)
        now("shielded too", SHIELDED, (True, True))
        switch(alice, kind, peer, shield=False)
        now("not shielded any more", QUIET, (True, False))
        set_option(alice, kind, peer, SHIELDED)
        now("shielded by the option", SHIELDED, (True, True))
        switch(alice, kind, peer, no_disturb=False)
        now("disturbed", SHIELDED, (False, True))
        switch(alice, kind, peer, no_disturb=True, shield=False)
        now("both turned", QUIET, (True, False))
        set_option(alice, kind, peer, RECEIVE)
        now("all off by the option", RECEIVE, (False, False))
    equal(listed(alice), ((False, False), {}, {}), "the list in the end")
    equal(listed(bob), ((False, False), {}, {}), "the list of another user")


def test_what_they_do(t):
    """A shield keeps messages away; not disturbing lets them come. The user's other device follows."""
    alice, alice2, bob, group = places(t)
    bob.text(alice.name, "first")
    alice.incoming("first")
    alice2.incoming("first")
    for kind, peer in ((C2C, bob.name), (GROUP, group)):
        at = alice2.mark()
        switch(alice, kind, peer, no_disturb=True)
        alice2.conv_event(UPDATE, peer, lambda c: c["conv_recv_opt"] == QUIET, at)
        to = alice.name if kind == C2C else group
        bob.text(to, "quiet", kind=kind)
        alice2.incoming("quiet", at)
        at = alice2.mark()
        switch(alice, kind, peer, shield=True)
        alice2.conv_event(UPDATE, peer, lambda c: c["conv_recv_opt"] == SHIELDED, at)
        bob.text(to, "unheard", kind=kind)
        switch(alice, kind, peer, shield=False)
        bob.text(to, "heard", kind=kind)
        alice2.incoming("heard", at)
        if kind == C2C:
            check("unheard" not in alice2.texts(peer, cloud=False), "it came through the shield")


def test_an_option_with_mentions_counts_as_not_disturbed(t):
    alice, alice2, bob, group = places(t)
    set_option(alice, GROUP, group, QUIET_BUT_MENTION)
    equal(listed(alice)[2], {group: (True, False)}, "the switches")
    switch(alice, GROUP, group, shield=True)
    switch(alice, GROUP, group, shield=False, no_disturb=True)
    equal(option(alice, GROUP, group), QUIET_BUT_MENTION, "the option")
    switch(alice, GROUP, group, no_disturb=False)
    equal(option(alice, GROUP, group), RECEIVE, "turned off")


def test_everything(t):
    """The switch is the option of the interface; it keeps the hours that were said, and nothing shields from everything."""
    t.own_server(devices="all")
    alice, alice2 = t.users("alice", "alice")

    def told(switch_on, level, hour, duration):
        at = alice2.mark()
        switch(alice, ALL, no_disturb=switch_on)
        e = alice2.event("TIMSetMsgAllMessageReceiveOptionCallback", after=at).json()
        want = {"level": level, "start_hour": hour}
        equal({k: e["msg_all_recv_msg_opt_" + k] for k in want}, want, "the event")
        equal(e["msg_all_recv_msg_duration"], duration, "its duration")
        equal(listed(alice2)[0], (switch_on, False), "the list")
    told(True, QUIET, 0, 86400)
    alice.ok("TIMMsgSetAllReceiveMessageOpt", QUIET_BUT_MENTION, 8, 0, 0, 3600)
    told(True, QUIET_BUT_MENTION, 8, 3600)
    told(False, RECEIVE, 0, 0)
    switch(alice, ALL, "", 6017, shield=True)


def test_a_restart_keeps_them(t):
    alice, alice2, bob, group = places(t)
    switch(alice, C2C, bob.name, no_disturb=True, shield=True)
    switch(alice, GROUP, group, shield=True)
    switch(alice, ALL, no_disturb=True)
    t.server.stop(hard=True).start()
    alice.again()
    equal(listed(alice), ((True, False), {bob.name: (True, True)}, {group: (False, True)}), "the list")


def test_refused(t):
    alice, alice2, bob, group = places(t)
    switch(alice, C2C, bob.name, 6017)
    switch(alice, C2C, "", 6017, shield=True)
    switch(alice, ALL, bob.name, 6017, shield=True)
    switch(alice, C2C, bob.name, 6017, shield="yes")
    switch(alice, C2C, "nobody", 20003, shield=True)
    switch(alice, GROUP, "nowhere", 10010, shield=True)
    other = bob.ok("TIMGroupCreate", {"create_group_param_group_name": "x", "create_group_param_group_type": 1}).json[
        "create_group_result_groupid"]
    switch(alice, GROUP, other, 10007, shield=True)
    equal(listed(alice), ((False, False), {}, {}), "the list")
