"""Every way in which something can be done in a group, and the code that the table says it has.

A case is tried in every type of groups by every role. Its code is that of its action in the table, unless it says how it follows
from there; `spoils` means that nobody can use the group in the same way once it was done.
"""
from scene import RANK
from timbre import GROUP, text_elem, text_of

TEXTS, OPTIONS = "edit name, introduction, notification, face", "edit options, member limit, custom fields"
MUTE_ALL, MUTE, KICK, SET_ROLE = "mute everybody", "mute a member", "remove a member", "make and unmake admins"
TRANSFER, DISMISS, QUIT, INVITE, APPROVE = "hand the group over", "dismiss", "quit", "invite", "decide who comes in"
SPEAK, RECEIPT, SPEAK_TO = "send messages", "send with read receipts", "send to some members only"
MENTION, SPEAK_TO_ALL = "mention members", "mention everybody"
HISTORY, REVOKE, PIN = "read the history", "revoke messages of others", "pin messages"
EXTEND, LIST, ONLINE, MARK = "extend messages and react to them", "list members", "count who is online", "mark members"
SET_ATTRIBUTES, ATTRIBUTES = "write attributes", "read attributes"
SET_COUNTERS, COUNTERS = "write counters", "read counters"
CARD, RECEIVE = "have a name card and custom fields", "choose how to receive"
TOPICS, RIGHTS = "make, change and delete topics", "manage permission groups"

INVALID, DENIED, MUTED = 10004, 10007, 10017
FORBID, AUTH, ANY = 0, 1, 2


class Case:
    def __init__(self, name, action, run, expect=None, spoils=False, kinds=None, target=None, **options):
        self.name, self.action, self.run, self.spoils, self.kinds = name, action, run, spoils, kinds
        self.target, self.options = target, options
        self.expected = expect or (lambda s, code: code)

    def fits(self, rules, kind, role):
        """Can this be asked at all in groups of a type?"""
        if kind == "Rights" and role in ("left", "muted"):
            return False
        if self.kinds or kind == "Rights":
            return kind in (self.kinds or ())
        if self.target == "admin2" and not rules["admins"]:
            return False
        if kind == "Topics":
            return self.action in (TOPICS, RIGHTS)
        if "add_option" in self.options and rules["fixed_add"] or "approve_option" in self.options and rules["fixed_approve"]:
            return False
        return not self.options.get("muted_all") or not rules["may"][MUTE_ALL]["owner"]


CASES = []


def case(*args, **keys):
    CASES.append(Case(*args, **keys))


def ask(s, function, *args):
    return s.actor.ask(function, *args).code


# ---------------------------------------------------------------- the group itself

def edit(flags, **keys):
    param = dict({"group_modify_info_param_modify_flag": flags}, **{"group_modify_info_param_" + k: v for k, v in keys.items()})
    return lambda s: ask(s, "TIMGroupModifyGroupInfo", dict(param, group_modify_info_param_group_id=s.group))


def unless_fixed(option, value):
    """What is fixed can be set to what it is."""
    return lambda s, code: code or (INVALID if s.rules["fixed_" + option] and s.rules[option] != value else 0)


def limit(s, code):
    return code or (0 if s.rules["max_members"] else INVALID)


case("name", TEXTS, edit(1, group_name="another"))
case("notification", TEXTS, edit(2, notification="n"))
case("introduction", TEXTS, edit(4, introduction="i"))
case("face", TEXTS, edit(8, face_url="http://f"))
case("all texts", TEXTS, edit(15, group_name="g", notification="n2", introduction="i2", face_url="http://g"))
case("no text", TEXTS, edit(2, notification=""))
for option in (FORBID, AUTH, ANY):
    case("add option %d" % option, OPTIONS, edit(16, add_option=option), unless_fixed("add", option), spoils=True)
    case("approve option %d" % option, OPTIONS, edit(4096, approve_option=option), unless_fixed("approve", option), spoils=True)
case("member limit", OPTIONS, edit(32, max_member_num=100), limit)
case("visible", OPTIONS, edit(64, visible=1))
case("searchable", OPTIONS, edit(128, searchable=1))
case("custom field", OPTIONS, edit(512, custom_info=[{"group_info_custom_string_info_key": "k", "group_info_custom_string_info_value": "v"}]))
case("name and limit", OPTIONS, edit(33, group_name="both", max_member_num=150), lambda s, code: s.code(TEXTS) or limit(s, code))
case("mute all", MUTE_ALL, edit(256, is_shutup_all=True), spoils=True)
case("unmute all", MUTE_ALL, edit(256, is_shutup_all=False), muted_all=True, spoils=True)
for target in ("member2", "admin2"):
    case("hand over to " + target, TRANSFER, edit(-1 << 31, owner=target), spoils=True, target=target)
case("hand over to an outsider", TRANSFER, edit(-1 << 31, owner="outsider2"), lambda s, code: code or INVALID)
case("dismiss", DISMISS, lambda s: ask(s, "TIMGroupDelete", s.group), spoils=True)
case("quit", QUIT, lambda s: ask(s, "TIMGroupQuit", s.group), spoils=True)


# ---------------------------------------------------------------- members

def set_member(target, flags, **keys):
    return lambda s: s.set_member(s.actor, target or s.role, flags, **keys)


def outranks(target):
    """The table, and then the target's role: the owner acts on all, an admin on ordinary members, nobody on outsiders."""
    def expect(s, code):
        rank = RANK.get(target or s.role)
        if code or rank is None:
            return code or INVALID
        return 0 if target and RANK[s.role] > rank else DENIED
    return expect


for seconds in (60, 4294967295, 0):
    for target in ("member2", "admin2", "owner"):
        case("mute %s for %d s" % (target, seconds), MUTE, set_member(target, 4, shutup_time=seconds),
             outranks(target), target=target)
for target in ("member2", "admin2"):
    for role in (300, 200):
        case("role %d for %s" % (role, target), SET_ROLE, set_member(target, 2, member_role=role), spoils=True, target=target)
case("role for the owner", SET_ROLE, set_member("owner", 2, member_role=200), lambda s, code: code or INVALID)
case("role for an outsider", SET_ROLE, set_member("outsider2", 2, member_role=300), lambda s, code: code or INVALID)
case("no such role", SET_ROLE, set_member("member2", 2, member_role=350), lambda s, code: code or INVALID)
case("own name card", CARD, set_member(None, 8, name_card="card"))
case("no name card", CARD, set_member(None, 8, name_card=""))
case("own custom field", CARD, set_member(None, 16, custom_info=[
    {"group_member_info_custom_string_info_key": "k", "group_member_info_custom_string_info_value": "v"}]))
for option in (0, 1, 2):
    case("receive option %d" % option, RECEIVE, lambda s, o=option: ask(s, "TIMMsgSetGroupReceiveMessageOpt", s.group, o))
    case("receive option %d as a member" % option, RECEIVE, set_member(None, 1, msg_flag=option))


def kick(target, seconds):
    return lambda s: ask(s, "TIMGroupDeleteMember", {
        "group_delete_member_param_group_id": s.group, "group_delete_member_param_identifier_array": [target],
        "group_delete_member_param_user_data": "because", "group_delete_member_param_duration": seconds})


for seconds in (0, 60):
    for target in ("member2", "admin2", "owner"):
        case("remove %s, %d s" % (target, seconds), KICK, kick(target, seconds), outranks(target), spoils=True, target=target)
case("list members", LIST, lambda s: members(s))
for flag in (1, 2, 4):
    case("list members of role %d" % flag, LIST, lambda s, f=flag: members(s, f))
case("list members by name", LIST, lambda s: members(s, 0, ["member2"]))


def members(s, flag=0, names=None):
    param = {"group_get_members_info_list_param_group_id": s.group, "group_get_members_info_list_param_next_seq": 0,
             "group_get_members_info_list_param_option": {"group_member_get_info_option_role_flag": flag}}
    if names:
        param["group_get_members_info_list_param_identifier_array"] = names
    return ask(s, "TIMGroupGetMemberInfoList", param)


case("count who is online", ONLINE, lambda s: ask(s, "TIMGroupGetOnlineMemberCount", s.group))
for on in (True, False):
    case("mark %s" % on, MARK, lambda s, on=on: ask(s, "TIMGroupMarkGroupMemberList", s.group, ["member2"], 1000, on))


# ---------------------------------------------------------------- coming in

def invite(target):
    return lambda s: ask(s, "TIMGroupInviteMember", {
        "group_invite_member_param_group_id": s.group, "group_invite_member_param_identifier_array": [target],
        "group_invite_member_param_user_data": "come"})


def invited(option=None):
    def expect(s, code):
        approve = s.rules["approve"] if option is None else option
        return code or (DENIED if approve == FORBID else 0)
    return expect


def joined(option=None):
    def expect(s, _):
        if s.inside():
            return 0 if s.live else 10013
        add = s.rules["add"] if option is None else option
        if add == FORBID:
            return 8508 if s.kind == "Work" else DENIED
        return 0
    return expect


for option in (None, FORBID, AUTH, ANY):
    keys = {} if option is None else {"approve_option": option}
    what = "" if option is None else ", approve option %d" % option
    case("invite an outsider" + what, INVITE, invite("outsider2"), invited(option), spoils=True, **keys)
    case("invite a member" + what, INVITE, invite("member2"), invited(option), **keys)
    keys = {} if option is None else {"add_option": option}
    what = "" if option is None else ", add option %d" % option
    case("join" + what, INVITE, lambda s: ask(s, "TIMGroupJoin", s.group, "let me in"), joined(option), spoils=True, **keys)


def request(s):
    """The owner's view of what outsider2 asks."""
    s.world.users["outsider2"].ok("TIMGroupJoin", s.group, "please")
    return pendency(s)


def invitation(s):
    """Likewise of what member2 asks for outsider2."""
    s.world.users["member2"].ok("TIMGroupInviteMember", {
        "group_invite_member_param_group_id": s.group, "group_invite_member_param_identifier_array": ["outsider2"]})
    return pendency(s)


def pendency(s):
    r = s.owner.ok("TIMGroupGetPendencyList", {"group_pendency_option_start_time": 0, "group_pendency_option_max_limited": 50}).json
    return next(p for p in r["group_pendency_result_pendency_array"] if p["group_pendency_group_id"] == s.group)


def decide(make, accept):
    def run(s):
        asked = s.keep(make.__name__, lambda: make(s))
        return ask(s, "TIMGroupHandlePendency", {"group_handle_pendency_param_is_accept": accept, "group_handle_pendency_param_handle_msg": "so be it",
                                                 "group_handle_pendency_param_pendency": asked})
    return run


for accept in (True, False):
    case("decide a request: %s" % accept, APPROVE, decide(request, accept), spoils=True, add_option=AUTH)
    case("decide an invitation: %s" % accept, APPROVE, decide(invitation, accept), spoils=True, approve_option=AUTH)


# ---------------------------------------------------------------- messages

def say(elements=None, **keys):
    elements = elements or [text_elem("hello")]
    return lambda s: s.actor.send(s.group, elements, kind=GROUP, **keys).wait().code


def unless_muted(s, code):
    return code or (MUTED if s.role == "muted" else 0)


def while_muted(s, code):
    return unless_muted(s, code) or (0 if s.role in ("owner", "admin") else MUTED)


case("a text", SPEAK, say(), unless_muted)
case("something custom", SPEAK, say([{"elem_type": 3, "custom_elem_data": "d"}]), unless_muted)
for priority in range(4):
    case("a text of priority %d" % priority, SPEAK, say(message_priority=priority), unless_muted)
case("a mention", MENTION, say(message_group_at_user_array=["member2"]), unless_muted)
case("a mention of all", SPEAK_TO_ALL, say(message_group_at_user_array=["__kImSDK_MesssageAtALL__"]), unless_muted)
case("a text while all are muted", SPEAK, say(), while_muted, muted_all=True)
case("something custom while all are muted", SPEAK, say([{"elem_type": 3, "custom_elem_data": "d"}]), while_muted, muted_all=True)
case("a text that only passes", SPEAK, say(message_is_online_msg=True), unless_muted)
case("a text that asks for receipts", RECEIPT, say(message_need_read_receipt=True), unless_muted)
case("a text for one", SPEAK_TO, say(message_target_group_member_array=["member2"]), unless_muted)


def history(of):
    """A history's code; or how many of its messages are not for the actor: whoever is outside gets what he has, which is none of these."""
    def run(s):
        where = of(s)
        if s.possible(SPEAK):
            s.owner.text(where, "not for everybody", kind=GROUP)
        r = s.actor.ask("TIMMsgGetMsgList", where, GROUP, {"msg_getmsglist_param_count": 20, "msg_getmsglist_param_is_ramble": True})
        shown = 0 if r.code else sum(text_of(m) == "not for everybody" for m in r.json if m["message_elem_array"])
        return "%d messages" % shown if shown and s.code(HISTORY) else r.code
    return run


case("history", HISTORY, history(lambda s: s.group), lambda s, _: 0)
case("revoke a member's", REVOKE, lambda s: ask(s, "TIMMsgRevoke", s.group, GROUP, s.message()))
case("revoke the owner's", REVOKE, lambda s: ask(s, "TIMMsgRevoke", s.group, GROUP, s.message("owner")),
     lambda s, code: code if s.role != "owner" or not s.possible(REVOKE) else 0)


def pin(on):
    def run(s):
        m = s.message()
        if not on and s.possible(PIN):
            s.owner.ok("TIMPinGroupMessage", s.group, m, True)
        return ask(s, "TIMPinGroupMessage", s.group, m, on)
    return run


case("pin", PIN, pin(True))
case("unpin", PIN, pin(False))
for name, call in {
        "extend": lambda s, m: ("TIMMsgSetMessageExtensions", m, [{"message_extension_key": "k", "message_extension_value": "v"}]),
        "read extensions": lambda s, m: ("TIMMsgGetMessageExtensions", m),
        "delete extensions": lambda s, m: ("TIMMsgDeleteMessageExtensions", m, ["k"]),
        "react": lambda s, m: ("TIMMsgAddMessageReaction", m, "thumb"),
        "read reactions": lambda s, m: ("TIMMsgGetAllUserListOfMessageReaction", m, "thumb", 0, 10),
        "take a reaction back": lambda s, m: ("TIMMsgRemoveMessageReaction", m, "thumb")}.items():
    case(name, EXTEND, lambda s, call=call: ask(s, *call(s, s.keep("message", s.message))))


# ---------------------------------------------------------------- attributes and counters

ATTRIBUTE = [{"group_attribute_key": "k", "group_attribute_value": "v"}]
COUNTER = [{"group_counter_key": "k", "group_counter_value": 7}]
case("begin attributes", SET_ATTRIBUTES, lambda s: ask(s, "TIMGroupInitGroupAttributes", s.group, ATTRIBUTE))
case("set attributes", SET_ATTRIBUTES, lambda s: ask(s, "TIMGroupSetGroupAttributes", s.group, ATTRIBUTE))
case("read attributes", ATTRIBUTES, lambda s: ask(s, "TIMGroupGetGroupAttributes", s.group, []))
case("read one attribute", ATTRIBUTES, lambda s: ask(s, "TIMGroupGetGroupAttributes", s.group, ["k"]))
case("delete an attribute", SET_ATTRIBUTES, lambda s: ask(s, "TIMGroupDeleteGroupAttributes", s.group, ["k"]))
case("delete all attributes", SET_ATTRIBUTES, lambda s: ask(s, "TIMGroupDeleteGroupAttributes", s.group, []))
case("set counters", SET_COUNTERS, lambda s: ask(s, "TIMGroupSetGroupCounters", s.group, COUNTER))
case("increase a counter", SET_COUNTERS, lambda s: ask(s, "TIMGroupIncreaseGroupCounter", s.group, "k", 2))
case("decrease a counter", SET_COUNTERS, lambda s: ask(s, "TIMGroupDecreaseGroupCounter", s.group, "k", 3))
case("read counters", COUNTERS, lambda s: ask(s, "TIMGroupGetGroupCounters", s.group, []))
case("read one counter", COUNTERS, lambda s: ask(s, "TIMGroupGetGroupCounters", s.group, ["k"]))


# ---------------------------------------------------------------- communities

def there(code_elsewhere=INVALID):
    """The table, where there are topics; what is not there is refused to everybody in the same way."""
    return lambda s, code: code if s.kind == "Topics" else code_elsewhere


NOT_FOUND = 10010


def worst(s, function, *args):
    """The code of the call, or of the worst of its parts."""
    r = s.actor.ask(function, *args)
    if r.code or not r.text.startswith("["):
        return r.code
    return max([v for part in r.json for k, v in part.items() if k.endswith("error_code")] or [0])


for family in ("TIMGroup", "TIMCommunity"):
    case(family + ": make a topic", TOPICS, lambda s, f=family: ask(s, f + "CreateTopicInCommunity", s.group, {"group_topic_info_topic_name": "new"}), there())
    for name, flag, keys in (("name", 1, {"group_topic_info_topic_name": "t"}), ("muting", 256, {"group_topic_info_is_all_muted": True}),
                             ("custom text", 2048, {"group_topic_info_custom_string": "c"})):
        case("%s: a topic's %s" % (family, name), TOPICS, lambda s, f=family, flag=flag, keys=keys: ask(s, f + "SetTopicInfo", dict(
            keys, group_topic_info_topic_id=s.keep("topic", s.topic), group_modify_info_param_modify_flag=flag)), there(NOT_FOUND))
    case(family + ": delete a topic", TOPICS, lambda s, f=family: worst(s, f + "DeleteTopicFromCommunity", s.group, [s.topic()]), there())
case("make a permission group", RIGHTS, lambda s: ask(s, "TIMCommunityCreatePermissionGroupInCommunity", {
    "community_group_id": s.group, "permission_group_name": "new"}), there())
case("change a permission group", RIGHTS, lambda s: ask(s, "TIMCommunityModifyPermissionGroupInfoInCommunity", {
    "community_group_id": s.group, "permission_group_id": s.keep("rights", s.rights), "permission_group_name": "other",
    "permission_group_modify_info_flag": 1}), there())
case("delete a permission group", RIGHTS, lambda s: worst(s, "TIMCommunityDeletePermissionGroupFromCommunity", s.group, [s.rights()]), there())
for name, call in {
        "add a member to a permission group": lambda s, g: ("TIMCommunityAddCommunityMembersToPermissionGroup", s.group, g, ["member2"]),
        "take a member out of it": lambda s, g: ("TIMCommunityRemoveCommunityMembersFromPermissionGroup", s.group, g, ["member2"]),
        "give it rights in a topic": lambda s, g: ("TIMCommunityAddTopicPermissionToPermissionGroup", s.group, g, topic_rights(s, 8)),
        "give it other rights": lambda s, g: ("TIMCommunityModifyTopicPermissionInPermissionGroup", s.group, g, topic_rights(s, 4)),
        "take its rights": lambda s, g: ("TIMCommunityDeleteTopicPermissionFromPermissionGroup", s.group, g, [s.keep("topic", s.topic)])}.items():
    case(name, RIGHTS, lambda s, call=call: worst(s, *call(s, s.keep("rights", s.rights))), there())


def topic_rights(s, bits):
    return [{"topic_permission_key": s.keep("topic", s.topic), "topic_permission_value": bits}]


for name, run in {
        "speak in a topic": lambda s: s.actor.send(s.keep("topic", s.topic), [text_elem("hello")], kind=GROUP).wait().code,
        "a topic's history": history(lambda s: s.keep("topic", s.topic)),
        "how to receive from a topic": lambda s: ask(s, "TIMMsgSetGroupReceiveMessageOpt", s.keep("topic", s.topic), 1)}.items():
    case(name, {"s": SPEAK, "a": HISTORY, "h": RECEIVE}[name[0]], run,
         {"s": unless_muted, "a": lambda s, _: 0, "h": None}[name[0]], kinds=["Topics"])


# ---------------------------------------------------------------- where permission groups decide

def by_right(granted):
    def expect(s, _):
        return 0 if s.role == "owner" or granted and s.inside() else DENIED
    return expect


BY_RIGHT = ("name", "custom field", "mute all", "make a permission group", "mute member2 for 60 s", "mute admin2 for 60 s", "remove member2, 0 s",
            "remove admin2, 0 s", "TIMGroup: make a topic", "TIMCommunity: make a topic")
for decided in [c for c in CASES if c.name in BY_RIGHT]:
    for granted in (True, False):
        case("%s, %s" % (decided.name, "with the right to it" if granted else "with all other rights"), decided.action, decided.run,
             by_right(granted), spoils=decided.spoils, kinds=["Rights"], right_to=decided.action, granted=granted)
