"""TIMExtGetAppGroupList: groups of the application, page by page."""
from timbre import equal

PUBLIC, WORK, MEETING, LIVE, COMMUNITY = 0, 1, 2, 4, 5
JOINED, OWNED = 1, 2


def made(owner, type, n, *members, **keys):
    return [owner.ok("TIMGroupCreate", dict({
        "create_group_param_group_name": "%s %d" % (owner.name, i), "create_group_param_group_type": type,
        "create_group_param_group_member_array": [{"group_member_info_identifier": m.name} for m in members]}, **keys)).json[
            "create_group_result_groupid"] for i in range(n)]


def ask(client, **keys):
    return client.ok("TIMExtGetAppGroupList", {"ext_app_group_" + k: v for k, v in keys.items()}).json


def ids(r):
    return [g["group_detial_info_group_id"] for g in r["ext_app_group_array"]]


def test_pages(t):
    """By the cursor and by the start; in the order in which they were made."""
    t.own_server(devices="all")
    alice, bob = t.users("alice", "bob")
    rooms = made(alice, LIVE, 7)
    made(alice, PUBLIC, 2)
    first = ask(bob, count=3)
    equal((ids(first), first["ext_app_group_total"], first["ext_app_group_start"], first["ext_app_group_is_finished"]),
          (rooms[:3], 7, 0, False), "the first page")
    g = first["ext_app_group_array"][0]
    equal((g["group_detial_info_group_name"], g["group_detial_info_group_type"], g["group_detial_info_owener_identifier"]),
          (alice.name + " 0", LIVE, alice.name), "a room")
    second = ask(bob, count=3, cursor=first["ext_app_group_next_cursor"])
    last = ask(bob, count=3, cursor=second["ext_app_group_next_cursor"])
    equal((ids(second), ids(last), last["ext_app_group_next_cursor"], last["ext_app_group_is_finished"]),
          (rooms[3:6], rooms[6:], "", True), "the other pages")
    middle = ask(bob, start=5, count=10)
    equal((ids(middle), middle["ext_app_group_start"], middle["ext_app_group_is_finished"]), (rooms[5:], 5, True), "by the start")
    equal(ids(ask(bob)), rooms, "without a count")
    bob.ok("TIMGroupJoin", rooms[2], "")
    equal((ids(ask(bob, role=JOINED)), ids(ask(bob, role=OWNED)), ids(ask(alice, role=OWNED))), ([rooms[2]], [], rooms), "by role")


def test_types_and_roles(t):
    t.own_server(devices="all")
    alice, bob = t.users("alice", "bob")
    public, meeting = made(alice, PUBLIC, 2, bob), made(alice, MEETING, 1)
    own = made(bob, PUBLIC, 1)
    alice.ok("TIMGroupModifyMemberInfo", {
        "group_modify_member_info_group_id": public[0], "group_modify_member_info_identifier": bob.name,
        "group_modify_member_info_modify_flag": 2, "group_modify_member_info_member_role": 300})
    equal(ids(ask(bob)), [], "live rooms")
    equal(ids(ask(bob, type=PUBLIC)), public + own, "all public ones")
    equal(ids(ask(bob, type=[PUBLIC, MEETING])), public + meeting + own, "of two types")
    equal(ids(ask(bob, type=PUBLIC, role=JOINED)), public + own, "where he is")
    equal(ids(ask(bob, type=PUBLIC, role=OWNED)), [public[0]] + own, "that he owns or administers")
    equal(ids(ask(alice, type=MEETING, role=OWNED)), meeting, "of another user")


def test_refused(t):
    t.own_server()
    alice = t.user("alice")
    for keys, code in (({"role": "x"}, 6017), ({"count": 101}, 6017), ({"start": -1}, 6017), ({"role": 9}, 10004), ({"type": 77}, 10004)):
        r = alice.ask("TIMExtGetAppGroupList", {"ext_app_group_" + k: v for k, v in keys.items()})
        equal(r.code, code, "code of %s" % keys)
    alice.logout()
    equal(alice.ask("TIMExtGetAppGroupList", {}).code, 6014, "nobody is logged in")
