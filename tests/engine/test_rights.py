"""Permission groups: every function and event, and what they let a member do."""
from communities import DEFAULTS, change, community, known, results, rights, say, topic
from test_community import team
from timbre import ADD, check, equal

RESULT, MEMBER, TOPIC = "permission_group_operation_result_", "permission_group_member_operation_result_", "group_topic_operation_result_"
MANAGE_TOPICS, SEND = 16, 64
TOPIC_SEND = 8
ALL = "__kImSDK_MesssageAtALL__"


def event(client, name, match=None, after=0):
    """Waits for an event of permission groups and returns what it carries."""
    e = client.event("TIMSetCommunity%sCallback" % name, lambda e: not match or match(e.json(1)), after)
    return e.args[0], e.json(1)


def listed(client, group, *ids, function="TIMCommunityGetPermissionGroupListInCommunity"):
    args = [] if "Joined" in function else [list(ids)]
    key = "permission_group_info_result"
    return [(i[key + "_error_code"], i[key]) for i in client.ok(function, group, *args).json]


def members(client, group, id, cursor=""):
    page = client.ok("TIMCommunityGetCommunityMemberListInPermissionGroup", group, id, cursor).json
    return [m["group_member_info_identifier"] for m in page["permission_group_member_info_result_array"]], \
        page["permission_group_member_info_result_next_cursor"]


def test_life(t):
    group, a, b, b2 = team(t, devices=2)
    id = rights(a, group, "helpers", 5, permission_custom_data="data")
    check(id.startswith("@PMG#_"), "the permission group's id is %s" % id)
    want = {"community_group_id": group, "permission_group_id": id, "permission_group_name": "helpers", "permission_custom_data": "data",
            "group_permission": 5, "permission_group_member_count": 0}
    for u in (a, b, b2):
        equal(event(u, "CreatePermissionGroup"), (group, want), "the event at %s" % u.name)
        equal(listed(u, group), [(0, want)], "the list")
    equal(listed(b, group, "@PMG#_none", id), [(10010, dict(want, permission_group_id="@PMG#_none", permission_group_name="", permission_custom_data="",
                                                            group_permission=0)), (0, want)], "named ones")
    a.ok("TIMCommunityModifyPermissionGroupInfoInCommunity", {"community_group_id": group, "permission_group_id": id, "permission_group_name": "others",
                                                              "permission_group_modify_info_flag": 1, "group_permission": 99})
    want["permission_group_name"] = "others"
    for u in (a, b, b2):
        equal(event(u, "ChangePermissionGroupInfo"), (group, want), "the change at %s" % u.name)
    equal(results(a.ok("TIMCommunityDeletePermissionGroupFromCommunity", group, [id, "@PMG#_none"]), RESULT, "id"), [(id, 0), ("@PMG#_none", 10010)],
          "deleting")
    for u in (a, b, b2):
        equal(event(u, "DeletePermissionGroup"), (group, [id]), "the deletion at %s" % u.name)
        equal(listed(u, group), [], "the list at last")


def test_an_id_of_ones_own(t):
    group, a, b = team(t)
    id = "@PMG#_moderators"
    equal(rights(a, group, "mods", permission_group_id=id), id, "the id")
    equal([r["permission_group_name"] for _, r in listed(b, group, id)], ["mods"], "the list")
    rights(a, group, "others", code=10021, permission_group_id=id)
    for bad in ("moderators", "@PMG#_", "@PMG#_" + "x" * 49, "@PMG#_\u4f60"):
        rights(a, group, "others", code=8501, permission_group_id=bad)
    equal(rights(a, community(a, b), "mods", permission_group_id=id), id, "in another community")


def test_bad_calls(t):
    group, a, b, c = team(t, "carol")
    rights(a, group, "", code=6017)
    rights(a, group, "n" * 151, code=10004)
    rights(a, group, "n", code=10004, permission_custom_data="x" * 3001)
    rights(b, group, "n", code=10007)
    rights(c, group, "n", code=10007)
    rights(a, "@TGS#_none", "n", code=10010)
    id = rights(a, group, "n")
    base = {"community_group_id": group, "permission_group_id": id}
    for keys, code in (({}, 6017), ({"permission_group_modify_info_flag": 0}, 6017), ({"permission_group_modify_info_flag": 1}, 6017),
                       ({"permission_group_modify_info_flag": 8, "permission_group_name": "x"}, 6017),
                       ({"permission_group_modify_info_flag": 2, "group_permission": -1}, 6017),
                       ({"permission_group_modify_info_flag": 1, "permission_group_name": ""}, 10004),
                       ({"permission_group_id": "@PMG#_x", "permission_group_modify_info_flag": 1, "permission_group_name": "x"}, 10010)):
        equal(a.ask("TIMCommunityModifyPermissionGroupInfoInCommunity", dict(base, **keys)).code, code, "changing with %r" % keys)
    equal(c.ask("TIMCommunityGetPermissionGroupListInCommunity", group, []).code, 10007, "the list for somebody else")
    for users, code in (([], 6017), (["u%d" % n for n in range(21)], 6017)):
        equal(a.ask("TIMCommunityAddCommunityMembersToPermissionGroup", group, id, users).code, code, "%d users" % len(users))
    for given, code in (({}, 6017), ([{"topic_permission_key": "x"}], 6017), ("[", 6017)):
        equal(a.ask("TIMCommunityAddTopicPermissionToPermissionGroup", group, id, given).code, code, "rights in %r" % given)


def test_members(t):
    group, a, b, b2, c = team(t, "carol", devices=2)
    id = rights(a, group, "helpers")
    add, remove = "TIMCommunityAddCommunityMembersToPermissionGroup", "TIMCommunityRemoveCommunityMembersFromPermissionGroup"
    nobody = t.name("nobody")
    equal(results(a.ok(add, group, id, [b.name, c.name, nobody, a.name]), MEMBER, "identifier"),
          [(b.name, 0), (c.name, 10004), (nobody, 10019), (a.name, 0)], "adding")
    for u in (a, b, b2):
        equal(event(u, "AddMembersToPermissionGroup"), (group, {"permission_group_id": id, "member_id_list": [b.name, a.name]}), "the event")
    equal((sorted(members(b, group, id)[0]), members(b, group, id)[1]), (sorted([a.name, b.name]), ""), "the members")
    joined = "TIMCommunityGetJoinedPermissionGroupListInCommunity"
    equal([i["permission_group_id"] for _, i in listed(b, group, function=joined)], [id], "those that he is in")
    mark = b.mark()
    equal(results(a.ok(add, group, id, [b.name]), MEMBER, "identifier"), [(b.name, 0)], "adding again")
    equal(results(a.ok(remove, group, id, [b.name, c.name]), MEMBER, "identifier"), [(b.name, 0), (c.name, 10004)], "removing")
    for u in (a, b, b2):
        equal(event(u, "RemoveMembersFromPermissionGroup"), (group, {"permission_group_id": id, "member_id_list": [b.name]}), "the event")
    equal(b.events("TIMSetCommunityAddMembersToPermissionGroupCallback", mark), [], "the event of adding again")
    equal((listed(b, group, function=joined), members(a, group, id)), ([], ([a.name], "")), "after removing")
    equal(b.ask(add, group, id, [b.name]).code, 10007, "adding oneself")


def test_topic_rights(t):
    group, a, b, b2 = team(t, devices=2)
    news, chat = topic(a, group, "News", topic_id=group + "@TOPIC#_a"), topic(a, group, "Chat", topic_id=group + "@TOPIC#_b")
    id = rights(a, group, "helpers")
    none = group + "@TOPIC#_none"
    add, modify, delete, get = ("TIMCommunity%sTopicPermission%sPermissionGroup" % n for n in
                                (("Add", "To"), ("Modify", "In"), ("Delete", "From"), ("Get", "In")))
    pairs = [{"topic_permission_key": k, "topic_permission_value": v} for k, v in ((news, 9), (none, 1))]
    equal(results(a.ok(add, group, id, pairs), TOPIC, "topic_id"), [(news, 0), (none, 10010)], "granting")
    equal(results(a.ok(add, group, id, {chat: 3}), TOPIC, "topic_id"), [(chat, 0)], "granting by an object of topics")
    equal(results(a.ok(modify, group, id, {"topic_permission_key": news, "topic_permission_value": 1}), TOPIC, "topic_id"), [(news, 0)], "altering")
    got = a.ok(get, group, id, []).json
    key = "topic_permission_result_"
    equal([(r[key + "topic_id"], r[key + "topic_permission"], r[key + "error_code"], r[key + "group_id"], r[key + "permission_group_id"]) for r in got],
          [(news, 1, 0, group, id), (chat, 3, 0, group, id)], "the rights in all topics")
    equal(results(a.ok(delete, group, id, [news]), TOPIC, "topic_id"), [(news, 0)], "taking away")
    equal(results(a.ok(modify, group, id, {news: 1}), TOPIC, "topic_id"), [(news, 10004)], "altering what is not there")
    equal([(r[key + "topic_id"], r[key + "error_code"]) for r in b.ok(get, group, id, [news, chat]).json], [(news, 10004), (chat, 0)], "asked by name")
    granted = lambda t_, v: {"permission_group_id": id, "topic_permission_map": [{"topic_permission_key": t_, "topic_permission_value": v}]}  # noqa: E731
    for u in (a, b, b2):
        equal(event(u, "AddTopicPermission"), (group, granted(news, 9)), "the grant")
        equal(event(u, "AddTopicPermission", lambda d: d == granted(chat, 3))[0], group, "the other grant")
        equal(event(u, "ModifyTopicPermission"), (group, granted(news, 1)), "the change")
        equal(event(u, "DeleteTopicPermission"), (group, {"permission_group_id": id, "topic_id_list": [news]}), "the end")
    equal(b.ask(add, group, id, {news: 1}).json, [{TOPIC + "error_code": 10007, TOPIC + "error_message": b.ask(add, group, id, {news: 1}).json[0][TOPIC + "error_message"],
                                                   TOPIC + "topic_id": news}], "granting without a right")


def test_what_they_allow(t):
    """A member may what the union of everybody's rights and those of his permission groups allows, the owner everything."""
    group, a, b = team(t)
    a.ok("TIMGroupModifyGroupInfo", {"group_modify_info_param_group_id": group, "group_modify_info_param_modify_flag": 1 << 13 | 1 << 14,
                                     "group_modify_info_param_enable_permission_group": True, "group_modify_info_param_default_permissions": 0})
    news, chat = topic(a, group, "News"), topic(a, group, "Chat")
    known(b, chat)
    say(b, news, "no", code=10007)
    say(a, news, "the owner may")
    topic(b, group, "no", code=10007)
    helpers, writers = rights(a, group, "helpers"), rights(a, group, "writers", MANAGE_TOPICS)
    for id in (helpers, writers):
        a.ok("TIMCommunityAddCommunityMembersToPermissionGroup", group, id, [b.name])
    a.ok("TIMCommunityAddTopicPermissionToPermissionGroup", group, helpers, {news: TOPIC_SEND})
    say(b, news, "now I may")
    say(b, chat, "and not here", code=10007)
    topic(b, group, "mine")
    change(a, chat, DEFAULTS, default_permissions=TOPIC_SEND)
    say(b, chat, "everybody may")
    a.ok("TIMCommunityRemoveCommunityMembersFromPermissionGroup", group, helpers, [b.name])
    say(b, news, "no more", code=10007)
    a.ok("TIMGroupModifyGroupInfo", {"group_modify_info_param_group_id": group, "group_modify_info_param_modify_flag": 1 << 14,
                                     "group_modify_info_param_default_permissions": SEND})
    say(b, news, "everybody may, everywhere")
    a.incoming("everybody may, everywhere")


def test_catching_up(t):
    """A device that was away hears what became of permission groups meanwhile, in order."""
    group, a, b, b2 = team(t, devices=2)
    b2.logout()
    mark = b2.mark()
    id = rights(a, group, "helpers")
    a.ok("TIMCommunityAddCommunityMembersToPermissionGroup", group, id, [b.name])
    a.ok("TIMCommunityDeletePermissionGroupFromCommunity", group, [id])
    event(b, "DeletePermissionGroup")
    b2.login()
    event(b2, "DeletePermissionGroup", after=mark)
    equal([e.name for e in b2.events(None, mark) if "PermissionGroup" in e.name],
          ["TIMSetCommunity%sCallback" % n for n in ("CreatePermissionGroup", "AddMembersToPermissionGroup", "DeletePermissionGroup")], "the events")


def test_from_the_beginning(t):
    """A community may be made so that permission groups decide: then an admin has no more rights than others."""
    t.own_server(devices="all")
    a, b = t.users("alice", "bob")
    group = community(a, b, enable_permission_group=True, default_permissions=SEND)
    b.conv_event(ADD, group)
    found = b.ok("TIMGroupGetGroupInfoList", [group]).json[0]["get_groups_info_result_info"]
    equal((found["group_detail_info_enable_permission_group"], found["group_detail_info_default_permissions"]), (True, SEND), "the community")
    a.ok("TIMGroupModifyMemberInfo", {"group_modify_member_info_group_id": group, "group_modify_member_info_identifier": b.name,
                                      "group_modify_member_info_modify_flag": 2, "group_modify_member_info_member_role": 300})
    news = topic(a, group, "News")
    known(b, news)
    say(b, news, "everybody may")
    say(b, news, "to all", code=10007, message_group_at_user_array=[ALL])
    topic(b, group, "not the admin", code=10007)
    rights(b, group, "not the admin", code=10007)
    equal(b.ask("TIMGroupModifyGroupInfo", {"group_modify_info_param_group_id": group, "group_modify_info_param_modify_flag": 1,
                                            "group_modify_info_param_group_name": "x"}).code, 10007, "changing the name")
