"""Communities as tests see them: topics, permission groups, and what members are told."""
from timbre import GROUP, SENT, equal, text_elem

CREATED, DELETED, CHANGED = ("TIMSetCommunity%sCallback" % n for n in ("CreateTopic", "DeleteTopic", "ChangeTopicInfo"))
OLDER = {CREATED: "TIMSetGroupTopicCreatedCallback", DELETED: "TIMSetGroupTopicDeletedCallback", CHANGED: "TIMSetGroupTopicChangedCallback"}
NAME, NOTIFICATION, INTRODUCTION, FACE, MUTE_ALL, CUSTOM, DRAFT, DEFAULTS = 1, 2, 4, 8, 1 << 8, 1 << 11, 1 << 14, 1 << 15
INFO = "group_topic_info_"


def named(clients):
    return [{"group_member_info_identifier": m.name} for m in clients]


def community(owner, *members, **keys):
    """Makes a community with topics and returns its id."""
    param = dict({"create_group_param_group_name": "a community", "create_group_param_group_member_array": named(members)},
                 **{"create_group_param_" + k: v for k, v in keys.items()})
    return owner.ok("TIMCommunityCreate", param).json["create_group_result_groupid"]


def joined(client):
    return {g["group_base_info_group_id"]: g for g in client.ok("TIMCommunityGetJoinedCommunityList").json}


def topic(client, group, name, code=0, **keys):
    """Makes a topic and returns its id."""
    r = client.ask("TIMCommunityCreateTopicInCommunity", group, dict({INFO + "topic_name": name}, **{INFO + k: v for k, v in keys.items()}))
    equal(r.code, code, "code of a new topic (%s)" % r.desc)
    return r.text


def known(client, id):
    """Waits until a device has heard of a topic."""
    client.event(CREATED, lambda e: e.args[1] == id, what="the news of the topic")
    return client


def change(client, id, flags, code=0, function="TIMCommunitySetTopicInfo", **keys):
    param = dict({INFO + "topic_id": id, "group_modify_info_param_modify_flag": flags},
                 **{k if k == "default_permissions" else INFO + k: v for k, v in keys.items()})
    r = client.ask(function, param)
    equal(r.code, code, "code of %s (%s)" % (function, r.desc))


def infos(client, group, *ids):
    """{topic's id: (code, information)} in the order of the answer."""
    list_ = client.ok("TIMCommunityGetTopicInfoList", group, list(ids)).json
    key = "group_topic_info_result_"
    return {i[key + "topic_info"][INFO + "topic_id"]: (i[key + "error_code"], i[key + "topic_info"]) for i in list_}


def info(client, group, id):
    code, found = infos(client, group, id)[id]
    equal(code, 0, "code of the topic")
    return found


def changed(client, id, match=None, after=0):
    """Waits for the news of a topic's change that matches and returns the topic."""
    def fits(e):
        t = e.json(1)
        return t[INFO + "topic_id"] == id and (not match or match(t))
    return client.event(CHANGED, fits, after, what="the change of the topic").json(1)


def last_text(i):
    """The text of the last message in a topic's information, None when there is none."""
    last = i.get(INFO + "last_message")
    return last["message_elem_array"][0].get("text_elem_content") if last and last["message_elem_array"] else None


def unread(n):
    return lambda t: t[INFO + "unread_count"] == n


def say(client, id, text, code=0, **keys):
    """Speaks in a topic and returns the message."""
    r = client.begin("TIMMsgSendMessage", id, GROUP, dict({"message_elem_array": [text_elem(text)]}, **keys)).wait()
    equal(r.code, code, "%s: code of %r (%s)" % (client.name, text, r.desc))
    return r.json


def said(client, id, count=20, **keys):
    """The texts of a topic's history, newest first, tips as their number. What was never sent is left out."""
    return [e.get("text_elem_content", e.get("group_tips_elem_tip_type")) for e in
            (m["message_elem_array"][0] for m in client.history(id, count, kind=GROUP, **keys)
             if m["message_status"] == SENT and m["message_elem_array"])]


def rights(client, group, name, bits=0, code=0, **keys):
    """Makes a permission group and returns its id."""
    r = client.ask("TIMCommunityCreatePermissionGroupInCommunity", dict(
        {"community_group_id": group, "permission_group_name": name, "group_permission": bits}, **keys))
    equal(r.code, code, "code of a new permission group (%s)" % r.desc)
    return r.text


def results(r, key, id):
    """[(id, code)] of a list of results."""
    return [(i[key + id], i[key + "error_code"]) for i in r.json]
