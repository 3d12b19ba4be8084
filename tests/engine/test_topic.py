"""Topics: every function and event on the devices of all members, and their conversations."""
import timbre
from communities import (CHANGED, CREATED, CUSTOM, DEFAULTS, DELETED, DRAFT, FACE, INFO, INTRODUCTION, MUTE_ALL, NAME, NOTIFICATION, OLDER,
                         change, changed, info, infos, known, results, said, say, topic, unread)
from groups import operate
from test_community import TIPS, team
from timbre import DEADLINE, GROUP, check, equal, text_elem, text_of

RESULT = "group_topic_operation_result_"


def told(client, setter, n):
    """The arguments of the first n calls of a callback, JSON as what it says."""
    client.until(lambda: len(client.events(setter)) >= n, DEADLINE, "%d times %s" % (n, setter))
    return [[e.args[0], e.json(1) if e.args[1][0] in "[{" else e.args[1]] for e in client.events(setter)]


def reported(client, kind, n):
    """(group, operator) of the n reports of a type."""
    def found():
        elements = [e for m in client.received() if m["message_conv_type"] == 3 for e in m["message_elem_array"]]
        return [(e["group_report_elem_group_id"], e["group_report_elem_op_user"]) for e in elements if e["group_report_elem_report_type"] == kind]
    client.until(lambda: len(found()) >= n, DEADLINE, "%d reports" % n)
    return found()


def test_create_and_delete(t):
    """Both families of functions and callbacks, on the devices of both members and where it was done."""
    group, a, b, b2 = team(t, devices=2)
    news = topic(a, group, "News", introduction="about", notification="mind", topic_face_url="http://x/f", custom_string="c")
    check(news.startswith(group + "@TOPIC#_"), "the topic's id is %s" % news)
    chosen = group + "@TOPIC#_chosen"
    equal(a.ok("TIMGroupCreateTopicInCommunity", group, {INFO + "topic_name": "Chosen", INFO + "topic_id": chosen}).text, chosen, "a chosen id")
    for u in (a, b, b2):
        for setter in (CREATED, OLDER[CREATED]):
            equal(told(u, setter, 2), [[group, news], [group, chosen]], "%s at %s" % (setter, u.name))
        equal(list(infos(u, group)), [news, chosen], "the topics")
        equal(reported(u, 18, 2), [(news, a.name), (chosen, a.name)], "the reports at %s" % u.name)
    i = info(b, group, news)
    equal([i[INFO + k] for k in ("topic_name", "introduction", "notification", "topic_face_url", "custom_string", "is_all_muted", "self_mute_time",
                                 "recv_opt", "draft_text", "unread_count", "group_at_info_array")],
          ["News", "about", "mind", "http://x/f", "c", False, 0, 0, "", 0, []], "the topic")
    equal((i["default_permissions"], i["topic_info_read_sequence"], INFO + "last_message" in i), (0, 0, False), "the rest of it")
    check(i["topic_create_time"] > 1_600_000_000, "when it was made")
    for u, function, id in ((a, "TIMCommunityDeleteTopicFromCommunity", news), (a, "TIMGroupDeleteTopicFromCommunity", chosen)):
        none = group + "@TOPIC#_none"
        equal(results(u.ok(function, group, [id, none]), RESULT, "topic_id"), [(id, 0), (none, 10010)], "deleting")
    for u in (a, b, b2):
        for setter in (DELETED, OLDER[DELETED]):
            equal(told(u, setter, 2), [[group, [news]], [group, [chosen]]], setter)
        equal(infos(u, group), {}, "the topics at last")
        equal(reported(u, 19, 2), [(news, a.name), (chosen, a.name)], "the reports of the end")
    say(b, news, "into nothing", code=10010)


def test_bad_calls(t):
    group, a, b, c = team(t, "carol")
    topic(a, group, "", code=8502)
    topic(a, group, "n" * 151, code=8502)
    topic(a, group, "n" * 150)
    topic(a, group, "n", code=8501, topic_id="mine")
    topic(b, group, "n", code=10007)
    topic(c, group, "n", code=10007)
    topic(a, "@TGS#_nobody", "n", code=10010)
    news = topic(a, group, "News", topic_id=group + "@TOPIC#_1")
    topic(a, group, "News", code=10021, topic_id=news)
    equal(a.ask("TIMCommunityCreateTopicInCommunity", group, "{").code, 6017, "broken JSON")
    for u, id, flags, code, keys in ((a, news, 0, 6017, {}), (a, news, NAME, 6017, {}), (a, news, 1 << 20, 6017, {}), (a, "nothing", NAME, 6017, {"topic_name": "x"}),
                                     (a, news, NAME, 8502, {"topic_name": ""}), (a, news, MUTE_ALL, 6017, {"is_all_muted": 1}),
                                     (b, news, NAME, 10007, {"topic_name": "x"}), (a, news + "2", NAME, 10010, {"topic_name": "x"})):
        change(u, id, flags, code, **keys)
    equal(results(b.ok("TIMCommunityDeleteTopicFromCommunity", group, [news]), RESULT, "topic_id"), [(news, 10007)], "deleting without a right")
    equal(a.ask("TIMCommunityDeleteTopicFromCommunity", group, []).code, 6017, "deleting nothing")
    equal(c.ask("TIMCommunityGetTopicInfoList", group, []).code, 10007, "the topics for somebody else")
    equal([code for code, _ in infos(a, group, news, news + "2", "none").values()], [0, 10010, 10015], "a topic that is not there, and an id of none")


def test_change(t):
    """Each field changes at all devices, with one event, and the topic says what is not an option."""
    group, a, b, b2 = team(t, devices=2)
    news = topic(a, group, "News", custom_string="old")
    for u in (b, b2):
        known(u, news)
    marks = {u: u.mark() for u in (a, b, b2)}
    change(a, news, NAME | INTRODUCTION | NOTIFICATION | FACE | CUSTOM | DEFAULTS, topic_name="Newer", introduction="i", notification="n",
           topic_face_url="f", custom_string="c", default_permissions=9)
    change(a, news, MUTE_ALL, function="TIMGroupSetTopicInfo", is_all_muted=True)
    for u, mark in marks.items():
        i = changed(u, news, lambda i: i[INFO + "is_all_muted"], mark)
        equal([i[INFO + k] for k in ("topic_name", "introduction", "notification", "topic_face_url", "custom_string")] + [i["default_permissions"]],
              ["Newer", "i", "n", "f", "c", 9], "the topic in the event")
        equal({k: v for k, v in info(u, group, news).items() if "last_message" not in k}, {k: v for k, v in i.items() if "last_message" not in k},
              "the topic when it is asked for")
        u.event(OLDER[CHANGED], lambda e: e.json(1) == i, mark, what="the older callback")
    tip = b.event(TIPS, lambda e: e.json()["group_tips_elem_group_id"] == news, marks[b]).json()
    equal((tip["group_tips_elem_tip_type"], sorted(c["group_tips_group_change_info_flag"] for c in tip["group_tips_elem_group_change_info_array"])),
          (9, [1, 2, 3, 4, 9]), "the tip")
    say(b, news, "while all are muted", code=10017)
    say(a, news, "the owner may")
    b2.incoming("the owner may")


def test_conversation(t):
    """Unread, mentions, last message, read marks, receive option and draft, on two devices, out of list, totals and events."""
    group, a, b, b2 = team(t, devices=2)
    news = topic(a, group, "News")
    for u in (b, b2):
        known(u, news)
    marks = {u: u.mark() for u in (b, b2)}
    first = say(a, news, "one", message_group_at_user_array=[b.name])
    say(a, news, "two")
    for u in (b, b2):
        i = changed(u, news, unread(2), marks[u])
        equal(i[INFO + "last_message"]["message_elem_array"][0]["text_elem_content"], "two", "the last message")
        equal([(x["conv_group_at_info_seq"], x["conv_group_at_info_at_type"]) for x in i[INFO + "group_at_info_array"]],
              [(first["message_seq"], 1)], "who is spoken to")
        equal((u.total(), u.conversation(news), [c for _, l in u.conv_events() for c in l if c["conv_id"] == news]), (0, None, []),
              "total, list and events")
        m = u.incoming("two")
        equal((m["message_conv_type"], m["message_conv_id"]), (GROUP, news), "the message's conversation")
        c = u.ok("TIMConvGetConvInfo", [{"get_conversation_list_param_conv_id": news, "get_conversation_list_param_conv_type": GROUP}]).json[0]
        equal((c["conv_unread_num"], c["conv_show_name"], c["conv_group_type"]), (2, "News", 5), "the conversation by its id")
    b.ok("TIMMsgReportReaded", None, GROUP, None)  # everything in the list, and no topic is in it
    equal(info(b, group, news)[INFO + "unread_count"], 2, "unread after everything was marked")
    marks = {u: u.mark() for u in (b, b2)}
    b.ok("TIMConvCleanConversationUnreadMessageCount", "group_" + news, 0, first["message_seq"])
    for u in (b, b2):
        i = changed(u, news, unread(1), marks[u])
        equal((i["topic_info_read_sequence"], i[INFO + "group_at_info_array"]), (first["message_seq"], []), "after reading the first")
    marks = {u: u.mark() for u in (b, b2)}
    b2.ok("TIMMsgReportReaded", news, GROUP, None)
    for u in (b, b2):
        changed(u, news, unread(0), marks[u])
    mark = b2.mark()
    b.ok("TIMMsgSetGroupReceiveMessageOpt", news, 2)
    changed(b2, news, lambda i: i[INFO + "recv_opt"] == 2, mark)
    equal(info(b, group, news)[INFO + "recv_opt"], 2, "the receive option")
    equal(a.conversation(news), None, "the conversation where it was spoken")


def test_made_mute(t):
    """A topic may begin with everybody muted."""
    group, a, b = team(t)
    quiet = topic(a, group, "quiet", is_all_muted=True)
    known(b, quiet)
    equal(info(b, group, quiet)[INFO + "is_all_muted"], True, "the topic")
    say(b, quiet, "x", code=10017)
    say(a, quiet, "I may")
    b.incoming("I may")


def test_draft(t):
    group, a, b, b2 = team(t, devices=2)
    news = topic(a, group, "News")
    for u in (b, b2):
        known(u, news)
    mark, mark2 = b.mark(), b2.mark()
    change(b, news, DRAFT, draft_text="to be continued")
    changed(b, news, lambda i: i[INFO + "draft_text"] == "to be continued", mark)
    b.again()
    equal(info(b, group, news)[INFO + "draft_text"], "to be continued", "the draft after a restart")
    equal(info(b2, group, news)[INFO + "draft_text"], "", "the draft on the other device")
    equal(b2.events(CHANGED, mark2), [], "what the other device hears of it")
    mark = b.mark()
    equal(b.call("TIMConvSetDraft", news, GROUP, {"draft_user_define": "another", "draft_edit_time": 1}).rc, 0, "a draft by the other function")
    changed(b, news, lambda i: i[INFO + "draft_text"] == "another", mark)
    change(b, news, DRAFT, draft_text="")
    changed(b, news, lambda i: i[INFO + "draft_text"] == "", mark)
    equal((b.conversation(news), b.conv_events(mark)), (None, []), "the list")


def test_messages(t):
    """What works in a group works in a topic: history, edits, revocations, reactions, deletion."""
    group, a, b = team(t)
    news = topic(a, group, "News")
    known(b, news)
    sent = [say(a, news, "m%d" % n) for n in range(4)]
    own = say(b, news, "mine")
    a.incoming("mine")
    equal(said(b, news), ["mine", "m3", "m2", "m1", "m0"], "the history")
    a.ok("TIMMsgModifyMessage", dict(sent[0], message_elem_array=[text_elem("m0 edited")]))
    b.event("TIMSetMsgUpdateCallback", lambda e: "m0 edited" in e.args[0])
    mark = b.mark()
    a.ok("TIMMsgRevoke", news, GROUP, sent[3])
    b.event("TIMSetMsgRevokeCallback", after=mark)
    a.ok("TIMMsgAddMessageReaction", own, "thumb")
    b.event("TIMSetMsgReactionsChangedCallback", after=mark)
    b.ok("TIMMsgListDelete", news, GROUP, [sent[1]])
    equal(said(b, news), ["mine", "m2", "m0 edited"], "the history after all that")
    mark = b.mark()
    b.ok("TIMConvDelete", news, GROUP)
    changed(b, news, lambda i: INFO + "last_message" not in i and i[INFO + "unread_count"] == 0, mark)
    equal(said(b, news), [], "the history after its deletion")
    say(a, news, "new")
    i = changed(b, news, unread(1), mark)
    equal(i[INFO + "last_message"]["message_elem_array"][0]["text_elem_content"], "new", "the last message then")
    equal(list(infos(b, group)), [news], "the topic stays")


def test_speaking_at_once(t):
    """A device may speak in a topic before it has heard of it, and no conversation appears in the list."""
    group, a, b = team(t)
    b.again()
    news = topic(a, group, "News")
    m = say(b, news, "first")
    changed(b, news, lambda i: i.get(INFO + "last_message", {}).get("message_msg_id") == m["message_msg_id"])
    a.incoming("first")
    for u in (a, b):
        equal(u.conversation(news), None, "the topic in the list")
        equal([c for _, l in u.conv_events() for c in l if c["conv_id"] == news], [], "the topic in the events")
    changed(a, news, unread(1))


def test_receive_option(t):
    """Who does not want to receive a topic hears nothing of it, the other topics go on, and the history is there."""
    group, a, b, b2 = team(t, devices=2)
    news, chat = topic(a, group, "News"), topic(a, group, "Chat")
    for u in (b, b2):
        known(u, chat)
    b.ok("TIMMsgSetGroupReceiveMessageOpt", news, 1)
    changed(b2, news, lambda i: i[INFO + "recv_opt"] == 1)
    marks = {u: u.mark() for u in (b, b2)}
    say(a, news, "unheard")
    say(a, chat, "heard")
    for u in (b, b2):
        u.incoming("heard")
        equal([text_of(m) for m in u.received(marks[u]) if m["message_conv_type"] == GROUP], ["heard"], "what is heard")
        equal([i[INFO + "unread_count"] for _, i in infos(u, group).values()], [0, 1], "unread")
    b.ok("TIMMsgSetGroupReceiveMessageOpt", news, 0)
    changed(b2, news, lambda i: i[INFO + "recv_opt"] == 0, marks[b2])
    say(a, news, "heard again")
    for u in (b, b2):
        u.incoming("heard again")
        equal(said(u, news), ["heard again", "unheard"], "the history")


def test_mute(t):
    """A member is muted in a topic, or in the community and with it in its topics."""
    group, a, b = team(t)
    news = topic(a, group, "News")
    known(b, news)

    def mute(seconds, where):
        a.ok("TIMGroupModifyMemberInfo", {"group_modify_member_info_group_id": where, "group_modify_member_info_identifier": b.name,
                                          "group_modify_member_info_modify_flag": 4, "group_modify_member_info_shutup_time": seconds})
    mute(1000, news)
    changed(b, news, lambda i: i[INFO + "self_mute_time"] > 1_600_000_000)
    say(b, news, "muted in the topic", code=10017)
    mark = b.mark()
    mute(0, news)
    changed(b, news, lambda i: i[INFO + "self_mute_time"] == 0, mark)
    say(b, news, "not muted in the topic")
    mute(1000, group)
    say(b, news, "muted", code=10017)
    check(info(b, group, news)[INFO + "self_mute_time"] > 1_600_000_000, "until when he is muted")
    mute(0, group)
    say(b, news, "not any more")
    equal(info(b, group, news)[INFO + "self_mute_time"], 0, "until when he is muted, at last")


def test_from_the_operator(t):
    """What the operator sends to a topic reaches all members, those too who come later, and nobody else."""
    group, a, b, b2, c = team(t, "carol", devices=2)
    news = topic(a, group, "News")
    known(b2, news)
    b2.logout()
    mark = b2.mark()
    setter, data = "TIMSetCommunityReceiveTopicRESTCustomDataCallback", '{"any": "text \u00fc"}'
    equal(operate(t.server, "topic", data, topic=news), 200, "the operator's request")
    for u in (a, b):
        equal(u.event(setter).args, [news, data], "what %s hears" % u.name)
    b2.login()
    equal(b2.event(setter, after=mark).args, [news, data], "what a device hears that was away")
    equal(c.events(setter), [], "what somebody else hears")


def test_made_again(t):
    """A topic of the same id as one that was deleted begins anew, on devices that were there and on those that were away."""
    group, a, b, b2 = team(t, devices=2)
    id = topic(a, group, "First", topic_id=group + "@TOPIC#_x")
    for u in (b, b2):
        known(u, id)
    for n in range(5):
        say(a, id, "old %d" % n)
    for u in (b, b2):
        u.incoming("old 4")
    b2.logout()
    mark, mark2 = b.mark(), b2.mark()
    a.ok("TIMCommunityDeleteTopicFromCommunity", group, [id])
    b.event(DELETED, lambda e: e.json(1) == [id], mark)
    again = {INFO + "topic_id": id, INFO + "topic_name": "Second"}
    t.server.swept(lambda: a.ask("TIMCommunityCreateTopicInCommunity", group, again).code == 0)
    for n in range(2):
        say(a, id, "new %d" % n)
    b.incoming("new 1")
    b2.login()
    for u, at in ((b, mark), (b2, mark2)):
        changed(u, id, lambda i: i[INFO + "unread_count"] == 2 and i[INFO + "topic_name"] == "Second", at)
        equal(said(u, id), ["new 1", "new 0"], "the history")
        equal(len([e for e in u.events(CREATED, at) if e.args[1] == id]), 1, "news of the topic")
