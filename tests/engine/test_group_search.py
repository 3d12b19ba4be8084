"""Finding groups and members by words, Chinese too, with and without a network."""
import timbre
from groups import CARD_FLAG, PUBLIC, WORK, change, create, members, modify, tip
from timbre import equal

ID, NAME = 1, 2
IDENTIFIER, NICK, REMARK, CARD = 1, 2, 4, 8


def groups(user, *keywords, fields=None):
    param = {"group_search_params_keyword_list": list(keywords)}
    if fields is not None:
        param["group_search_params_field_list"] = fields
    return sorted(g["group_detail_info_group_name"] for g in user.ok("TIMGroupSearchGroups", param).json)


def found(user, *keywords, fields=None, within=None):
    param = {"group_search_member_params_keyword_list": list(keywords)}
    if fields is not None:
        param["group_search_member_params_field_list"] = fields
    if within is not None:
        param["group_search_member_params_groupid_list"] = within
    return sorted((r["group_search_member_result_groupid"], m["group_member_info_identifier"])
                  for r in user.ok("TIMGroupSearchGroupMembers", param).json for m in r["group_search_member_result_member_info_list"])


def test_groups(t):
    a, b = t.users("alice", "bob")
    product = create(a, WORK, [b], group_name="产品讨论组", group_id=t.name("product"))
    phones = create(a, PUBLIC, [b], group_name="iPhone 用户", introduction="about phones")
    other = create(a, WORK, group_name="只有我")
    for group in (product, phones):
        tip(b, group, 1)
    for u in (a, b):
        equal(groups(u, "讨论"), ["产品讨论组"], "a Chinese word")
        equal(groups(u, "户"), ["iPhone 用户"], "a character")
        equal(groups(u, "PHONE"), ["iPhone 用户"], "the inside of a word")
        equal(groups(u, "产品", "phone"), ["iPhone 用户", "产品讨论组"], "either")
        equal(groups(u, t.name("product")), ["产品讨论组"], "an id")
        equal(groups(u, t.name("product"), fields=[NAME]), [], "an id among names")
        equal(groups(u, t.name("product"), "phone", fields=[ID]), ["产品讨论组"], "a name among ids")
    equal((groups(a, "只有"), groups(b, "只有")), (["只有我"], []), "a group of others")
    equal(change(a, other, 1, group_name="改名了"), 0, "another name")
    a.conv_event(timbre.UPDATE, other, lambda c: c["conv_show_name"] == "改名了")
    equal((groups(a, "改名"), groups(a, "只有")), (["改名了"], []), "after the change")
    for code, param in ((6017, {}), (6017, {"group_search_params_keyword_list": []}), (6017, {"group_search_params_keyword_list": ["a"] * 6}),
                        (6017, {"group_search_params_keyword_list": ["a"], "group_search_params_field_list": [64]})):
        equal(a.ask("TIMGroupSearchGroups", param).code, code, "searching with %r" % param)


def test_after_a_restart_and_without_a_network(t):
    server = t.own_server()
    a = t.user("alice")
    group = create(a, WORK, group_name="离线也找得到")
    a.again()
    equal(groups(a, "离线"), ["离线也找得到"], "after a restart")
    server.stop()
    a.network(timbre.DISCONNECTED)
    equal(groups(a, "离线"), ["离线也找得到"], "without a network")
    a.packet_timeout(1)
    found_offline = [g["group_base_info_group_id"] for g in a.ok("TIMGroupGetJoinedGroupList").json]
    equal(found_offline, [group], "the list without a network")


def test_a_new_device_finds_all(t):
    t.own_server(devices="all")
    a = t.user("alice")
    create(a, WORK, group_name="老群组")
    equal(groups(t.user("alice"), "老群"), ["老群组"], "groups that are older than the device")


def test_members(t):
    a, b = t.users("alice", "bob")
    one, two = create(a, WORK, [b]), create(a, PUBLIC, [b])
    tip(b, two, 1)
    equal(modify(b, two, b.name, CARD_FLAG, name_card="设计师"), 0, "a card")
    for group in (one, two):
        members(a, group)
    equal(found(a, b.name), sorted([(one, b.name), (two, b.name)]), "an id in all groups")
    equal(found(a, b.name, within=[one]), [(one, b.name)], "an id in one group")
    equal(found(a, "设计"), [(two, b.name)], "a card")
    equal(found(a, "设计", fields=[CARD, REMARK]), [(two, b.name)], "a card by its field")
    equal(found(a, "设计", fields=[IDENTIFIER, NICK]), [], "a card by others")
    b.ok("TIMGroupQuit", two)
    tip(a, two, 2)
    equal(found(a, b.name), [(one, b.name)], "after he has left")
    a.ok("TIMGroupDelete", two)
    a.incoming(lambda m: m["message_conv_type"] == 3 and m["message_elem_array"][0]["group_report_elem_report_type"] == 5, what="the end")
    equal(found(a, a.name, within=[two]), [], "after its end")
