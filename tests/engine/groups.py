"""Groups, as tests make and change and look at them."""
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import timbre
from timbre import DEADLINE, GROUP, Failure, equal, text_elem

PUBLIC, WORK, MEETING, AVCHATROOM, COMMUNITY = 0, 1, 2, 4, 5
FORBID, AUTH, ANY = 0, 1, 2
MEMBER, ADMIN, OWNER = 200, 300, 400
RECEIVE, NOT_RECEIVE, NOT_NOTIFY = 0, 1, 2
OPTION_FLAG, ROLE_FLAG, MUTE_FLAG, CARD_FLAG, CUSTOM_FLAG = 1, 2, 4, 8, 16
TIPS = "TIMSetGroupTipsEventCallback"
SYSTEM = 3


def create(user, kind, members=(), code=0, **keys):
    """Makes a group and returns its id."""
    param = dict({"create_group_param_group_name": "a group", "create_group_param_group_type": kind,
                  "create_group_param_group_member_array": [{"group_member_info_identifier": m.name} for m in members]},
                 **{"create_group_param_" + k: v for k, v in keys.items()})
    r = user.ask("TIMGroupCreate", param)
    equal(r.code, code, "%s: code of TIMGroupCreate (%s)" % (user.name, r.desc))
    return r.json["create_group_result_groupid"] if code == 0 else None


def invite(user, group, *names):
    r = user.ask("TIMGroupInviteMember", {"group_invite_member_param_group_id": group,
                                          "group_invite_member_param_identifier_array": list(names)})
    key = "group_invite_member_result_"
    return r.code, None if r.code else [(i[key + "identifier"], i[key + "result"]) for i in r.json]


def kick(user, group, *names, reason="", seconds=0):
    r = user.ask("TIMGroupDeleteMember", {"group_delete_member_param_group_id": group, "group_delete_member_param_identifier_array": list(names),
                                          "group_delete_member_param_user_data": reason, "group_delete_member_param_duration": seconds})
    key = "group_delete_member_result_"
    return r.code, None if r.code else [(i[key + "identifier"], i[key + "result"]) for i in r.json]


def change(user, group, flags, **keys):
    """Changes a group itself; returns the code."""
    return user.ask("TIMGroupModifyGroupInfo", dict({"group_modify_info_param_group_id": group, "group_modify_info_param_modify_flag": flags},
                                                    **{"group_modify_info_param_" + k: v for k, v in keys.items()})).code


def detail(user, group):
    """The group as the server shows it to a user."""
    found = info(user, group)[0]
    equal(found["get_groups_info_result_code"], 0, "the code for " + group)
    return {k[len("group_detail_info_"):]: v for k, v in found["get_groups_info_result_info"].items() if k.startswith("group_detail_info_")}


def reports(user, group, after=0):
    """(type, operator, text) of the reports about a group."""
    return [(e["group_report_elem_report_type"], e["group_report_elem_op_user"], e["group_report_elem_msg"])
            for m in user.received(after) if m["message_conv_type"] == SYSTEM for e in m["message_elem_array"]
            if e["group_report_elem_group_id"] == group]


def report(user, group, kind, after=0):
    """Waits for a report and returns its element."""
    def fits(m):
        e = m["message_elem_array"][0]
        return m["message_conv_type"] == SYSTEM and e["group_report_elem_group_id"] == group and e["group_report_elem_report_type"] == kind
    m = user.incoming(fits, after, what="the report %d" % kind)
    equal((m["message_conv_id"], m["message_sender"], len(m["message_elem_array"]), m["message_elem_array"][0]["elem_type"]),
          ("", "@TIM#SYSTEM", 1, 8), "the report's message")
    return m["message_elem_array"][0]


def custom(**fields):
    return [{"group_info_custom_string_info_key": k, "group_info_custom_string_info_value": v} for k, v in fields.items()]


def customs(fields, kind="group_info"):
    return {f[kind + "_custom_string_info_key"]: f[kind + "_custom_string_info_value"] for f in fields}


def modify(user, group, who, flags, **keys):
    param = dict({"group_modify_member_info_group_id": group, "group_modify_member_info_identifier": who,
                  "group_modify_member_info_modify_flag": flags}, **{"group_modify_member_info_" + k: v for k, v in keys.items()})
    return user.ask("TIMGroupModifyMemberInfo", param).code


def joined(user):
    return {g["group_base_info_group_id"]: g for g in user.ok("TIMGroupGetJoinedGroupList").json}


def info(user, *groups):
    return user.ok("TIMGroupGetGroupInfoList", list(groups)).json


def members(user, group, names=None, roles=0, page=0):
    param = {"group_get_members_info_list_param_group_id": group, "group_get_members_info_list_param_next_seq": page,
             "group_get_members_info_list_param_option": {"group_member_get_info_option_role_flag": roles}}
    if names is not None:
        param["group_get_members_info_list_param_identifier_array"] = names
    r = user.ask("TIMGroupGetMemberInfoList", param)
    if r.code:
        return r.code
    return {m["group_member_info_identifier"]: m for m in r.json["group_get_member_info_list_result_info_array"]}


def tip(user, group, kind, after=0, match=None):
    """Waits for a tip of the group and returns its element."""
    def fits(e):
        t = e.json()
        return t["group_tips_elem_group_id"] == group and t["group_tips_elem_tip_type"] == kind and (not match or match(t))
    return user.event(TIPS, fits, after, what="the tip %d" % kind).json()


def say(user, group, text):
    return user.begin("TIMMsgSendMessage", group, GROUP, {"message_elem_array": [text_elem(text)]}).wait()


def group_texts(user, group):
    """The texts of a group's history, newest first, tips as their number. What was never sent is left out."""
    param = {"msg_getmsglist_param_count": 20, "msg_getmsglist_param_is_ramble": True}
    history = user.ok("TIMMsgGetMsgList", group, GROUP, param).json
    return [e.get("text_elem_content", e.get("group_tips_elem_tip_type")) for e in
            (m["message_elem_array"][0] for m in history if m["message_status"] == timbre.SENT)]


def burst(begin, n, seconds=5):
    """The codes of n calls that were made and answered within the time in which a limit counts them together. A busy machine may
    need another try."""
    for _ in range(10):
        begun = time.monotonic()
        codes = [c.wait().code for c in [begin() for _ in range(n)]]
        if time.monotonic() - begun < seconds:
            return codes
        threading.Event().wait(seconds)  # then they count no more
    raise Failure("%d calls take longer than %d s" % (n, seconds))


def operate(server, what, text="", signer="administrator", **query):
    """Asks as the operator for something; returns the HTTP status."""
    query = urllib.parse.urlencode(dict(query, app=timbre.APP), doseq=True)
    request = urllib.request.Request("http://127.0.0.1:%d/admin/%s?%s" % (server.port, what, query), text.encode(),
                                     {"Authorization": "Bearer " + timbre.sig(signer)})
    try:
        return urllib.request.urlopen(request, timeout=DEADLINE).status
    except urllib.error.HTTPError as e:
        return e.code
