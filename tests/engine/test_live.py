"""Live rooms: who is there hears what happens, nothing of it is kept, and a lost connection is not noticed."""
import subprocess

import timbre
from relays import Relay
from timbre import ADD, CONNECTED, DISCONNECTED, FAILED, GROUP, SENT, check, equal, text_elem, text_of

LIVE, MEETING = 4, 2
TIPS, ATTRIBUTES, COUNTER = "TIMSetGroupTipsEventCallback", "TIMSetGroupAttributeChangedCallback", "TIMSetGroupCounterChangedCallback"
CAME, WENT, KICKED = 1, 2, 3
BE_KICKED, DISMISSED, BANNED = 4, 5, 22


def room_of(owner, name="room"):
    return owner.ok("TIMGroupCreate", {"create_group_param_group_name": name, "create_group_param_group_type": LIVE}).json[
        "create_group_result_groupid"]


def joined(room, *guests):
    for g in guests:
        g.ok("TIMGroupJoin", room, "")


def show(t, *guests):
    """A server, a room, its owner and its guests."""
    t.own_server(devices="all")
    owner, *others = t.users("anna", *guests)
    room = room_of(owner)
    joined(room, *others)
    return (room, owner, *others)


def say(client, room, text, **keys):
    return client.text(room, text, kind=GROUP, **keys)


def tip(client, kind, match=lambda e: True, after=0):
    return client.event(TIPS, lambda e: e.json()["group_tips_elem_tip_type"] == kind and match(e.json()), after).json()


def report(client, room, *kinds, after=0):
    def of(m):
        e = m["message_elem_array"][0]
        return e["elem_type"] == 8 and e["group_report_elem_group_id"] == room and e["group_report_elem_report_type"] in kinds
    return client.incoming(of, after, what="a report of kind %s" % (kinds,))


def texts(client, after=0):
    return [text_of(m) for m in client.received(after) if text_of(m)]


def test_messages(t):
    """The sender gets his result, everybody else the message; and there is no trace of it."""
    room, anna, ben, ben2 = show(t, "ben", "ben")
    m = say(ben, room, "hello", message_priority=0)
    equal((m["message_status"], m["message_conv_id"], m["message_conv_type"], m["message_sender"], m["message_is_from_self"],
           m["ext_message_group_type"]), (SENT, room, GROUP, ben.name, True, LIVE), "the result")
    check(m["message_seq"] > 0 and m["message_server_time"] > 0, "no number or time")
    for c in (anna, ben2):
        got = c.incoming("hello")
        equal([got[k] for k in ("message_msg_id", "message_seq", "message_conv_id", "message_conv_type", "message_sender",
                                "message_priority", "message_rand", "message_unique_id", "message_status", "message_is_read",
                                "ext_message_group_type")],
              [m["message_msg_id"], m["message_seq"], room, GROUP, ben.name, 0, m["message_rand"], m["message_unique_id"], SENT,
               True, LIVE], "the message elsewhere")
        equal(got["message_is_from_self"], c is ben2, "from self")
    later = say(anna, room, "later")
    ben.incoming("later")
    check(later["message_seq"] > m["message_seq"], "the numbers do not grow")
    for c in (anna, ben, ben2):
        for cloud in (True, False):
            equal(c.history(room, kind=GROUP, cloud=cloud), [], "the history")
        equal((c.conversations(), c.conv_events()[2:]), ([], []), "conversations and their events")
        equal(c.total(), 0, "unread")
        equal(c.ok("TIMMsgFindMessages", [m["message_msg_id"]]).json, [], "found by its id")
        c.ok("TIMMsgReportReaded", room, GROUP, m)
        equal(c.conversations(), [], "conversations")
    equal(texts(ben), ["later"], "what the sender heard")


def test_order_and_kinds(t):
    """Messages of one sender come in their order, whatever is in them; a message for those who are online is one like others."""
    room, anna, ben = show(t, "ben")
    calls = [ben.send(room, [text_elem("m%d" % i)], kind=GROUP, message_priority=0) for i in range(30)]
    for c in calls:
        c.wait(code=0)
    anna.incoming("m29")
    equal(texts(anna), ["m%d" % i for i in range(30)], "the messages")
    say(ben, room, "now", message_is_online_msg=True)
    check(anna.incoming("now")["message_seq"] > 0, "no number")
    ben.sent(room, [{"elem_type": 3, "custom_elem_data": "gift"}], kind=GROUP)
    anna.incoming(lambda m: m["message_elem_array"][0].get("custom_elem_data") == "gift")


def test_tips(t):
    """They reach the tips' callback and no other one."""
    room, anna, ben, cara = show(t, "ben", "cara")
    for name in (ben.name, cara.name):
        tip(anna, CAME, lambda e: name in e["group_tips_elem_user_array"])
    at = anna.mark()
    ben.ok("TIMGroupQuit", room)
    gone = tip(anna, WENT, after=at)
    equal((gone["group_tips_elem_op_user"], gone["group_tips_elem_group_id"]), (ben.name, room), "the tip")
    equal([m for m in anna.received() if m["message_conv_id"] == room], [], "messages of the room")


def test_who_is_not_there(t):
    """He may not speak and hears nothing, before he comes and after he went; his message leaves no conversation then."""
    room, anna, ben = show(t, "ben")
    eve = t.user("eve")
    r = eve.send(room, [text_elem("x")], kind=GROUP).wait()
    equal((r.code, r.json["message_status"]), (10007, FAILED), "who never came")
    ben.ok("TIMGroupQuit", room)
    at = ben.mark()
    r = ben.send(room, [text_elem("x")], kind=GROUP).wait()
    equal((r.code, r.json["message_status"]), (10007, FAILED), "who went")
    equal(ben.conversations(), [], "his conversations")
    joined(room, eve)
    say(anna, room, "hello")
    eve.incoming("hello")
    equal((texts(ben, at), texts(eve)), ([], ["hello"]), "what they heard")
    equal(ben.ask("TIMGroupQuit", room).code, 10007, "who went goes again")


def test_what_a_room_has_not(t):
    """What needs a stored message is refused with the server's code, and leaves the room as it is."""
    room, anna, ben = show(t, "ben")
    m = say(ben, room, "hello")
    got = anna.incoming("hello")
    for code, call in {
        10004: [ben.send(room, [text_elem("x")], kind=GROUP, message_need_read_receipt=True),
                ben.send(room, [text_elem("x")], kind=GROUP, message_target_group_member_array=[anna.name]),
                ben.send(room, [text_elem("x")], kind=GROUP, message_group_at_user_array=[anna.name]),
                ben.send(room, [text_elem("x")], kind=GROUP, message_group_at_user_array=["__kImSDK_MessageAtALL__"]),
                ben.begin("TIMMsgDelete", room, GROUP, {"msg_delete_param_msg": m, "msg_delete_param_is_ramble": True}),
                ben.begin("TIMMsgSearchCloudMessages", {"msg_search_param_keyword_array": ["hello"], "msg_search_param_conv_id": room,
                                                        "msg_search_param_conv_type": GROUP}),
                ben.begin("TIMMsgSaveMsg", room, GROUP, {"message_elem_array": [text_elem("x")]}),
                ben.begin("TIMMsgImportMsgList", room, GROUP, [{"message_elem_array": [text_elem("x")]}]),
                anna.begin("TIMMsgRevoke", room, GROUP, got), anna.begin("TIMPinGroupMessage", room, got, True)],
        10007: [ben.begin("TIMGroupDelete", room)],
        10009: [anna.begin("TIMGroupQuit", room)],
    }.items():
        for c in call:
            equal((c.name, c.wait().code), (c.name, code), "the code")
    equal(ben.call("TIMConvSetDraft", room, GROUP, {"draft_user_define": "x"}).rc, -5, "a draft")
    equal(ben.ok("TIMConvCreate", room, GROUP).json["conv_id"], room, "what is created")
    equal((ben.ok("TIMGroupGetJoinedGroupList").json, ben.conversations()), ([], []), "the lists of groups and conversations")
    say(ben, room, "still here")
    anna.incoming("still here")
    equal(texts(anna), ["hello", "still here"], "what was heard")
    equal(m["message_status"], SENT, "its status")


def test_attributes_and_counters(t):
    room, anna, ben = show(t, "ben")
    anna.ok("TIMGroupInitGroupAttributes", room, [{"group_attribute_key": "song", "group_attribute_value": "one"}])
    e = ben.event(ATTRIBUTES)
    equal((e.args[0], [(a["group_attribute_key"], a["group_attribute_value"]) for a in e.json(1)]), (room, [("song", "one")]),
          "the attributes")
    ben.ok("TIMGroupIncreaseGroupCounter", room, "likes", 3)
    for c in (anna, ben):
        equal(c.event(COUNTER).args[:3], [room, "likes", 3], "the counter")


def test_kick_and_ban(t):
    """Who is removed hears so, is out on all devices, and cannot come back for the time that was said."""
    room, anna, ben, ben2, cara = show(t, "ben", "ben", "cara")
    result = anna.ok("TIMGroupDeleteMember", {
        "group_delete_member_param_group_id": room, "group_delete_member_param_identifier_array": [ben.name],
        "group_delete_member_param_duration": 3600}).json
    equal(result[0]["group_delete_member_result_result"], 1, "the result")
    for c in (ben, ben2):
        report(c, room, BE_KICKED, BANNED)
    tip(cara, KICKED, lambda e: ben.name in e["group_tips_elem_user_array"])
    equal(ben.ask("TIMGroupJoin", room, "").code, 10007, "he comes back")
    at = ben.mark()
    say(cara, room, "without ben")
    anna.incoming("without ben")
    equal((texts(ben, at), texts(ben2)), ([], []), "what he heard")
    equal(ben.send(room, [text_elem("x")], kind=GROUP).wait().code, 10007, "he speaks")


def test_mute(t):
    room, anna, ben = show(t, "ben")
    anna.ok("TIMGroupModifyMemberInfo", {
        "group_modify_member_info_group_id": room, "group_modify_member_info_identifier": ben.name,
        "group_modify_member_info_modify_flag": 4, "group_modify_member_info_shutup_time": 600})
    equal(ben.send(room, [text_elem("x")], kind=GROUP).wait().code, 10017, "muted")
    equal(report(ben, room, 17)["message_elem_array"][0]["group_report_elem_shut_up_time"], 600, "the report")
    anna.ok("TIMGroupModifyGroupInfo", {"group_modify_info_param_group_id": room, "group_modify_info_param_modify_flag": 256,
                                        "group_modify_info_param_is_shutup_all": True})
    cara = t.user("cara")
    joined(room, cara)
    equal(cara.send(room, [text_elem("x")], kind=GROUP).wait().code, 10017, "all are muted")
    say(anna, room, "I may")
    cara.incoming("I may")
    tip(anna, CAME, lambda e: cara.name in e["group_tips_elem_user_array"])
    equal([e for e in anna.events(TIPS) if e.json()["group_tips_elem_tip_type"] == 7], [], "tips of who is muted")


def test_dismissal(t):
    """Everybody who is there hears of the end; the room is gone."""
    room, anna, ben = show(t, "ben")
    anna.ok("TIMGroupDelete", room)
    m = report(ben, room, DISMISSED)
    report(anna, room, DISMISSED)
    equal((m["message_conv_type"], m["message_conv_id"], m["message_sender"]), (3, "", "@TIM#SYSTEM"), "the report")
    check(ben.ask("TIMGroupJoin", room, "").code in (10010, 10015), "the room is still there")
    equal(ben.send(room, [text_elem("x")], kind=GROUP).wait().json["message_status"], FAILED, "a message into it")
    equal(ben.conversations(), [], "conversations")


def test_the_same_id_again(t):
    """What is made anew under the id of a room that is over knows nothing of it, be it a room or not."""
    t.own_server(devices="all")
    anna, ben = t.users("anna", "ben")
    room = t.name("phoenix")

    def made(kind):
        param = {"create_group_param_group_name": "n", "create_group_param_group_id": room, "create_group_param_group_type": kind}
        timbre.poll(lambda: anna.ask("TIMGroupCreate", param).code == 0, "the id is not free")  # the end takes its time
        marks = anna.mark(), ben.mark()
        joined(room, ben)
        return marks

    for i in range(2):
        marks = made(LIVE)
        say(anna, room, "round %d" % i)
        say(ben, room, "answer %d" % i)
        ben.incoming("round %d" % i)
        anna.incoming("answer %d" % i)
        anna.ok("TIMGroupDelete", room)
        for c, mark in zip((anna, ben), marks):
            report(c, room, DISMISSED, after=mark)
    made(MEETING)
    say(anna, room, "kept")
    ben.incoming("kept")
    for c in (anna, ben):
        check("kept" in c.texts(room, kind=GROUP), "the history of " + c.name)


def test_a_cut_is_not_noticed(t):
    """The device comes back by itself, and nobody is told that it went or came. What it missed is gone."""
    server = t.own_server(devices="all")
    relay = Relay(("127.0.0.1", server.port))
    t.defer(relay.close)
    anna, cara = t.users("anna", "cara")
    ben = t.client("ben", url=relay.url).start()
    room = room_of(anna)
    joined(room, ben, cara)
    for c in (ben, cara):
        tip(anna, CAME, lambda e: c.name in e["group_tips_elem_user_array"])
    say(anna, room, "before")
    ben.incoming("before")
    at, told = ben.mark(), anna.mark()
    relay.cut()
    ben.network(DISCONNECTED, at)
    ben.network(CONNECTED, at)
    say(ben, room, "I am here")  # waits until the device is in the room again, and not only counted there from before
    anna.incoming("I am here")
    gathered(anna, room, 3)
    say(anna, room, "after")
    ben.incoming("after")
    at = ben.mark()
    relay.target = None
    relay.cut()
    ben.network(DISCONNECTED, at)
    early = ben.send(room, [text_elem("too early")], kind=GROUP)
    relay.target = ("127.0.0.1", server.port)
    equal(early.wait(code=0).json["message_status"], SENT, "what was said without a connection")
    anna.incoming("too early")
    equal(texts(ben), ["before", "after"], "what ben heard")
    equal(anna.events(TIPS, told), [], "tips of the cut")


def members(client, room):
    r = client.ask("TIMGroupGetMemberInfoList", {"group_get_members_info_list_param_group_id": room})
    return len(r.json["group_get_member_info_list_result_info_array"]) if r.code == 0 else None


def gathered(client, room, count):
    """Waits until so many are in the room again, of which nobody is told."""
    timbre.poll(lambda: members(client, room) == count, lambda: "members of the room: %r, want %d" % (members(client, room), count))


def test_leaving_without_a_connection(t):
    """Who leaves a room while he is cut off is out of it, and stays out."""
    server = t.own_server(devices="all")
    relay = Relay(("127.0.0.1", server.port))
    t.defer(relay.close)
    anna = t.user("anna")
    ben = t.client("ben", url=relay.url).start()
    left, kept = room_of(anna, "left"), room_of(anna, "kept")
    joined(left, ben)
    joined(kept, ben)
    at = ben.mark()
    relay.target = None
    relay.cut()
    ben.network(DISCONNECTED, at)
    call = ben.begin("TIMGroupQuit", left)
    relay.target = ("127.0.0.1", server.port)
    call.wait(code=0)
    say(ben, kept, "I am back")
    anna.incoming("I am back")
    gathered(anna, kept, 2)
    for room in (left, kept):
        say(anna, room, "in " + room)
    ben.incoming("in " + kept)
    equal(texts(ben, at), ["in " + kept], "what ben heard")
    equal(ben.send(left, [text_elem("x")], kind=GROUP).wait().code, 10007, "he speaks there")


def test_a_room_that_ended_meanwhile(t):
    """A device that comes back to a room which is gone, or which does not want it, is told so."""
    server = t.own_server(devices="all")
    relay = Relay(("127.0.0.1", server.port))
    t.defer(relay.close)
    anna = t.user("anna")
    ben = t.client("ben", url=relay.url).start()
    gone, closed = room_of(anna, "gone"), room_of(anna, "closed")
    joined(gone, ben)
    joined(closed, ben)
    at = ben.mark()
    relay.target = None  # nobody gets through
    relay.cut()
    ben.network(DISCONNECTED, at)
    anna.ok("TIMGroupDelete", gone)
    anna.ok("TIMGroupDeleteMember", {
        "group_delete_member_param_group_id": closed, "group_delete_member_param_identifier_array": [ben.name],
        "group_delete_member_param_duration": 3600})
    relay.target = ("127.0.0.1", server.port)
    report(ben, gone, DISMISSED, after=at)
    report(ben, closed, BE_KICKED, BANNED, after=at)


def test_logout_ends_it(t):
    room, anna, ben = show(t, "ben")
    ben.logout()
    ben.login()
    equal(ben.send(room, [text_elem("x")], kind=GROUP).wait().code, 10007, "after a new login")
    at = ben.mark()
    say(anna, room, "unheard")
    joined(room, ben)
    say(anna, room, "heard")
    ben.incoming("heard")
    equal(texts(ben, at), ["heard"], "what ben heard")


def test_server_restart(t):
    """Who was there comes back when the server does."""
    room, anna, ben = show(t, "ben")
    before = say(ben, room, "before")
    at = [c.mark() for c in (anna, ben)]
    t.server.stop(hard=True).start()
    for c, mark in zip((anna, ben), at):
        c.network(CONNECTED, mark)
    gathered(anna, room, 2)
    after = say(ben, room, "after")
    anna.incoming("after")
    check(after["message_seq"] > before["message_seq"], "the numbers do not grow")


def test_visitors(t):
    """They see everything and are seen by nobody; they may not speak."""
    room, anna, ben = show(t, "ben")
    tip(anna, CAME, lambda e: ben.name in e["group_tips_elem_user_array"])
    eve = t.user("eve")
    watch = dict(request_start_message_long_polling_id_param=room, request_start_message_long_polling_key_param="",
                 request_start_message_long_polling_sequence_param="")
    stop = dict(request_stop_message_long_polling_id_param=room)
    equal(eve.experiment("start_message_long_polling", **watch).code, 0, "start")
    told = anna.mark()
    say(ben, room, "for all")
    equal(eve.incoming("for all")["message_conv_id"], room, "the conversation")
    equal(anna.ok("TIMGroupGetOnlineMemberCount", room).json["group_get_online_member_count_result"], 2, "who is counted")
    equal(eve.send(room, [text_elem("x")], kind=GROUP).wait().code, 10007, "a visitor speaks")
    equal(eve.experiment("stop_message_long_polling", **stop).code, 0, "stop")
    say(ben, room, "not for eve")
    anna.incoming("not for eve")
    equal((texts(eve), eve.conversations(), anna.events(TIPS, told)), (["for all"], [], []), "what was seen")
    other = anna.ok("TIMGroupCreate", {"create_group_param_group_name": "team", "create_group_param_group_type": 1}).json[
        "create_group_result_groupid"]
    equal(eve.experiment("start_message_long_polling", **dict(watch, request_start_message_long_polling_id_param=other)).code,
          10004, "an ordinary group")
    equal(eve.experiment("start_message_long_polling", request_start_message_long_polling_id_param="").code, 6017, "no group")
    equal(eve.experiment("stop_message_long_polling", **stop).code, 0, "stop again")


def test_brief_members(t):
    t.own_server(devices="all")
    anna, ben, eve = t.users("anna", "ben", "eve")
    group = anna.ok("TIMGroupCreate", {
        "create_group_param_group_name": "team", "create_group_param_group_type": 0,
        "create_group_param_group_member_array": [{"group_member_info_identifier": ben.name}]}).json["create_group_result_groupid"]
    ben.conv_event(ADD, group)
    r = ben.experiment("get_brief_group_member_list", request_get_brief_group_member_list_group_id_param=group)
    equal({m["group_member_info_identifier"]: m["group_member_info_member_role"] for m in r.json["ext_response_brief_group_member_list"]},
          {anna.name: 400, ben.name: 200}, "the members")
    equal(eve.experiment("get_brief_group_member_list", request_get_brief_group_member_list_group_id_param=group).code, 10007,
          "who is no member")


def test_one_room_at_a_time(t):
    """With the switch, joining a room leaves the one before, on this device alone."""
    t.own_server(devices="all", options=["--live-single"])
    anna, ben, ben2 = t.users("anna", "ben", "ben")
    first, second = room_of(anna, "first"), room_of(t.user("cara"), "second")
    joined(first, ben, ben2)
    joined(second, ben)
    at = ben.mark()
    say(anna, first, "in the first one")
    ben2.incoming("in the first one")
    equal(texts(ben, at), [], "what the device heard that left")
    equal(ben.send(first, [text_elem("x")], kind=GROUP).wait().code, 10007, "it speaks there")
    say(ben, second, "in the second one")


def test_kept_messages(t):
    """With the switch, whoever joins gets the last messages, through the new-message callback; after a cut only what is new."""
    server = t.own_server(devices="all", options=["--live-history", "3"])
    relay = Relay(("127.0.0.1", server.port))
    t.defer(relay.close)
    anna = t.user("anna")
    ben = t.client("ben", url=relay.url).start()
    room = room_of(anna)
    for i in range(5):
        say(anna, room, "m%d" % i)
    joined(room, ben)
    ben.incoming("m4")
    equal(texts(ben), ["m2", "m3", "m4"], "what a newcomer gets")
    at = ben.mark()
    say(ben, room, "mine")
    relay.target = None
    relay.cut()
    ben.network(DISCONNECTED, at)
    say(anna, room, "missed")
    relay.target = ("127.0.0.1", server.port)
    ben.incoming("missed", at)
    say(anna, room, "after")
    ben.incoming("after", at)
    equal(texts(ben, at), ["missed", "after"], "what comes after a cut")


def test_broadcast(t):
    """The operator speaks in all rooms of the application."""
    room, anna, ben = show(t, "ben")
    subprocess.run([timbre.TIMBRED, "broadcast", "--url", t.server.url.replace("ws", "http", 1), "--app",
                    "%d:%s" % (timbre.APP, timbre.SECRET), "--text", "to everybody"], check=True, stdout=subprocess.DEVNULL)
    for c in (anna, ben):
        m = c.incoming("to everybody")
        equal((m["message_is_broadcast_message"], m["message_conv_id"], m["message_sender"]), (True, room, "administrator"),
              "the message")
    say(ben, room, "not a broadcast", message_is_broadcast_message=True)
    equal(anna.incoming("not a broadcast")["message_is_broadcast_message"], False, "a user's broadcast")


def test_marks(t):
    """The owner marks who is there; the list of members can be asked by mark, and everybody hears of it by a tip."""
    room, anna, ben, cara = show(t, "ben", "cara")
    gathered(anna, room, 3)
    anna.ok("TIMGroupMarkGroupMemberList", room, [ben.name], 1000, True)
    tip(cara, 8)
    r = anna.ok("TIMGroupGetMemberInfoList", {
        "group_get_members_info_list_param_group_id": room,
        "group_get_members_info_list_param_option": {"group_member_get_info_option_role_flag": 1000}}).json
    equal([m["group_member_info_identifier"] for m in r["group_get_member_info_list_result_info_array"]], [ben.name], "the marked")
    equal(ben.ask("TIMGroupMarkGroupMemberList", room, [cara.name], 1000, True).code, 10007, "a guest marks")


def test_several_rooms_and_accounts(t):
    """A device is in several rooms at once, and each hears its own."""
    t.own_server(devices="all")
    anna, ben = t.users("anna", "ben")
    rooms = [room_of(anna, "room %d" % i) for i in range(4)]
    for r in rooms:
        joined(r, ben)
    for i, r in enumerate(rooms):
        say(anna, r, "in %d" % i)
    for i, r in enumerate(rooms):
        equal(ben.incoming("in %d" % i)["message_conv_id"], r, "its room")
    ben.ok("TIMGroupQuit", rooms[0])
    at = ben.mark()
    for r in rooms:
        say(anna, r, "again")
    ben.incoming_count(3, at)
    equal(sorted(m["message_conv_id"] for m in ben.received(at)), sorted(rooms[1:]), "after leaving one")
