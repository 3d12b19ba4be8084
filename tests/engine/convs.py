"""Conversations as tests of their attributes see them: what a user attaches, what his devices are told of it."""
import json
import threading
import time

from timbre import C2C, DEADLINE, GROUP, UPDATE, Failure, equal

CREATED = "TIMSetConvConversationGroupCreatedCallback"
DELETED = "TIMSetConvConversationGroupDeletedCallback"
RENAMED = "TIMSetConvConversationGroupNameChangedCallback"
ADDED = "TIMSetConvConversationsAddedToGroupCallback"
REMOVED = "TIMSetConvConversationsDeletedFromGroupCallback"
COUNT = "TIMSetConvUnreadMessageCountChangedByFilterCallback"
TOTAL = "TIMSetConvTotalUnreadMessageCountChangedCallback"
STAR, UNREAD, FOLD, HIDE, OWN = 1, 2, 4, 8, 1 << 63
PINNED = 1 << 62


def c2c(*clients):
    return ["c2c_" + getattr(c, "name", c) for c in clients]


def with_peers(t, *bases, devices=2, **options):
    """A server of its own, peers who have written to alice one after the other, and alice's devices, who know it."""
    server = t.own_server(devices="all", **options)
    alice = [t.user("alice") for _ in range(devices)]
    peers = t.users(*bases)
    for p in peers:
        p.text(alice[0].name, "from " + p.name)
        for a in alice:
            a.incoming("from " + p.name)
    return server, alice, peers


def results(r):
    """{conversation id: code} of an array of TIMConversationOperationResult."""
    return {x["conversation_operation_result_conversation_id"]: x["conversation_operation_result_result_code"] for x in r.json}


def all_ok(client, function, *args):
    r = client.ok(function, *args)
    equal(set(results(r).values()), {0}, "%s: codes of the conversations" % function)
    return r


def listed(client):
    return [c["conv_id"] for c in client.conversations()]


def info(client, peer, kind=C2C):
    found = client.ok("TIMConvGetConvInfo", [{"get_conversation_list_param_conv_id": getattr(peer, "name", peer),
                                              "get_conversation_list_param_conv_type": kind}]).json
    return found[0] if found else None


def updated(client, peer, match, after):
    """Waits for an Update of the conversation that matches."""
    return client.conv_event(UPDATE, getattr(peer, "name", peer), match, after)


def groups(client):
    return client.ok("TIMConvGetConversationGroupList").json


def told(client, setter, after=0, n=0):
    """What the events of a setter said, once there are n of them; lists of conversations as their ids."""
    client.until(lambda: len(client.events(setter, after)) >= n, DEADLINE, "%d times %s" % (n, setter))
    out = []
    for e in client.events(setter, after):
        out.append([[c["conv_id"] for c in json.loads(a)] if isinstance(a, str) and a.startswith("[") else a for a in e.args])
    return out


def filtered(keys):
    return {"conversation_list_filter_" + k: v for k, v in keys.items()}


def page(client, next=0, count=100, **keys):
    r = client.ok("TIMConvGetConversationListByFilter", filtered(keys), next, count).json
    return ([c["conv_id"] for c in r["conversation_list_result_conv_list"]], r["conversation_list_result_next_seq"],
            r["conversation_list_result_is_finished"])


def fitting(client, **keys):
    return page(client, **keys)[0]


def unread(client, **keys):
    r = client.ok("TIMConvGetUnreadMessageCountByFilter", filtered(keys)).json
    return r["conv_get_total_unread_message_count_result_unread_count"]


def group_of(client, *members, name="team"):
    return client.ok("TIMGroupCreate", {
        "create_group_param_group_name": name, "create_group_param_group_type": 1,
        "create_group_param_group_member_array": [{"group_member_info_identifier": m.name} for m in members]}).json[
            "create_group_result_groupid"]


def same_everywhere(devices):
    """Every device comes to show the same conversations in the same order, but for what is local or a matter of the clock."""
    def plain(client):
        local = ("conv_active_time", "conv_draft", "conv_is_has_draft", "conv_last_msg", "conv_c2c_read_timestamp")
        return [{k: v for k, v in c.items() if k not in local} for c in client.conversations()]

    def compare():
        first = plain(devices[0])
        for d in devices[1:]:
            equal(plain(d), first, "the list of another device")
            equal(groups(d), groups(devices[0]), "the conversation groups of another device")
    deadline = time.monotonic() + DEADLINE
    while True:  # what one device did may still be on its way to the others
        try:
            return compare()
        except Failure:
            if time.monotonic() > deadline:
                raise
        threading.Event().wait(0.02)


__all__ = [n for n in dir() if not n.startswith("_")] + ["GROUP"]
