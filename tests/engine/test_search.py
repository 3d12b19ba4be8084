"""Search: in the local database and on the server, by what is said, who says it, what it is and when."""
import time

import timbre
from timbre import C2C, GROUP, check, equal, text_elem, text_of

LOCAL, CLOUD = "TIMMsgSearchLocalMessages", "TIMMsgSearchCloudMessages"
BOTH = (LOCAL, CLOUD)
OR, AND = 0, 1


def param(*keywords, peer=None, kind=C2C, **more):
    p = {"msg_search_param_keyword_array": list(keywords)}
    if peer is not None:
        p.update(msg_search_param_conv_id=peer, msg_search_param_conv_type=kind)
    p.update({"msg_search_param_" + k: v for k, v in more.items()})
    return p


def result(client, where, *keywords, **more):
    return client.ok(where, param(*keywords, **more)).json


def items(found):
    """(conversation, total, messages) of a result."""
    return [(i["msg_search_result_item_conv_id"], i["msg_search_result_item_total_message_count"],
             i["msg_search_result_item_message_array"]) for i in found.get("msg_search_result_item_array") or []]


def texts(found):
    return [text_of(m) for _, _, messages in items(found) for m in messages]


def total(found):
    return found["msg_search_result_total_count"]


def finds(client, peer, keyword, want, where=BOTH, **more):
    """A search in one conversation, here and on the server, finds these texts, the newest first."""
    for function in where:
        found = result(client, function, *([keyword] if isinstance(keyword, str) else keyword), peer=peer, **more)
        equal(texts(found), want, "%s of %r by %s" % (function, keyword, client.name))
        equal(total(found), len(want), "total of %s of %r" % (function, keyword))


def say(a, b, *lines):
    """alice sends texts, and bob has them."""
    calls = [a.send(b.name, [text_elem(x)]) for x in lines]
    sent = [c.wait(code=0).json for c in calls]
    b.incoming(lines[-1])
    return sent


def test_words(t):
    a, b = t.users("alice", "bob")
    say(a, b, "今天天气很好", "买iPhone15手机", "Straße nach Zürich", "你好 world", "ＡＢＣ １２３", "ｱｲｳ ガギグ", "한국어 검색",
        "nice 👍🏽 work", "family 👨‍👩‍👧", "x", "明天见")
    for client, peer in ((a, b.name), (b, a.name)):
        for keyword, want in (
                ("天", ["明天见", "今天天气很好"]), ("天气", ["今天天气很好"]), ("气很", ["今天天气很好"]), ("天气很好", ["今天天气很好"]),
                ("气天", []), ("iphone", ["买iPhone15手机"]), ("IPH", ["买iPhone15手机"]), ("15手", ["买iPhone15手机"]),
                ("phone", []), ("买", ["买iPhone15手机"]), ("strasse", ["Straße nach Zürich"]), ("ZÜRICH", ["Straße nach Zürich"]),
                ("你好", ["你好 world"]), ("WORLD", ["你好 world"]), ("abc", ["ＡＢＣ １２３"]), ("123", ["ＡＢＣ １２３"]),
                ("アイ", ["ｱｲｳ ガギグ"]), ("ガ", ["ｱｲｳ ガギグ"]), ("국어", ["한국어 검색"]), ("검", ["한국어 검색"]),
                ("👍🏽", ["nice 👍🏽 work"]), ("👨‍👩‍👧", ["family 👨‍👩‍👧"]), ("🎉", []), ("x", ["x"]), ('"天气" OR *', []),
                ("%", []), ("'", [])):
            finds(client, peer, keyword, want)


def test_or_and_and(t):
    a, b = t.users("alice", "bob")
    say(a, b, "red apple", "green apple", "red car")
    finds(a, b.name, ["red", "green"], ["red car", "green apple", "red apple"])
    finds(a, b.name, ["red", "green"], ["red car", "green apple", "red apple"], keyword_list_match_type=OR)
    finds(a, b.name, ["red", "apple"], ["red apple"], keyword_list_match_type=AND)
    finds(a, b.name, ["red", "nothing"], [], keyword_list_match_type=AND)
    finds(a, b.name, ["a", "b", "c", "d", "red"], ["red car", "green apple", "red apple"])


def test_refused(t):
    a = t.user("alice")
    for function in BOTH:
        for bad in (param(*"abcdef"), param(), param(""), {}, param("a", send_identifier_array=list("abcdef"))):
            equal(a.ask(function, bad).code, 6017, "%s of %r" % (function, bad))
        equal(a.call(function, "x").rc, -3, "no JSON")
        found = result(a, function, "nothing", peer=t.name("nobody"))
        equal((total(found), items(found)), (0, []), "a search with nobody")
    equal(a.ask(CLOUD, param("a", search_cursor="bad")).code, 6017, "a bad cursor")


def test_switched_off(t):
    t.own_server(options=["--cloud-search=false"])
    a, b = t.users("alice", "bob")
    say(a, b, "hello")
    r = a.ask(CLOUD, param("hello"))
    equal(r.code, 60020, "code of a search that is switched off")
    equal(total(r.json), 0, "its result")
    finds(a, b.name, "hello", ["hello"], where=[LOCAL])


def test_senders_and_types(t):
    a, b = t.users("alice", "bob")
    a.text(b.name, "report one")
    b.incoming("report one")
    b.text(a.name, "report two")
    a.sent(b.name, [{"elem_type": timbre.CUSTOM, "custom_elem_data": "hidden report", "custom_elem_desc": "report three"}])
    a.sent(b.name, [{"elem_type": timbre.FACE, "face_elem_index": 1}])
    a.incoming("report two")
    b.incoming(lambda m: m["message_elem_array"][0]["elem_type"] == timbre.FACE)
    for client, peer in ((a, b.name), (b, a.name)):
        for function in BOTH:
            def count(*keywords, **more):
                one = result(client, function, *keywords, peer=peer, **more)
                everywhere = result(client, function, *keywords, **more)
                equal(sum(n for _, n, _ in items(everywhere)), total(one), "%s over all: %r %r" % (function, keywords, more))
                return total(one)
            equal(count("report"), 3, "without filters")
            equal(count("report", send_identifier_array=[a.name]), 2, "of alice")
            equal(count("report", send_identifier_array=[a.name, b.name]), 3, "of both")
            equal(count("report", send_identifier_array=["nobody"]), 0, "of nobody")
            equal(count("report", message_type_array=[timbre.TEXT]), 2, "texts")
            equal(count("report", message_type_array=[timbre.CUSTOM], send_identifier_array=[b.name]), 0, "bob's custom ones")
            equal(count("hidden"), 0, "custom data")
            equal(count(send_identifier_array=[b.name]), 1, "no keywords, of bob")
            equal(count(message_type_array=[timbre.CUSTOM, timbre.TEXT]), 3, "no keywords, types")
            equal(count(send_identifier_array=[a.name], message_type_array=[timbre.TEXT]), 1, "no keywords, alice's texts")


def test_time_window(t):
    a, b = t.users("alice", "bob")
    sent = say(a, b, "moment")[0]["message_server_time"]
    finds(a, b.name, "moment", ["moment"], search_time_position=sent, search_time_period=10)
    finds(a, b.name, "moment", ["moment"], search_time_period=3600)
    finds(a, b.name, "moment", [], search_time_position=sent - 10)
    finds(a, b.name, "moment", [], search_time_position=sent - 10, search_time_period=100)
    peer = t.name("imported")
    a.ok("TIMMsgImportMsgList", peer, C2C, [{"message_elem_array": [text_elem("old %d" % s)], "message_sender": peer,
                                             "message_client_time": s, "message_server_time": s} for s in range(1000, 1010)])
    finds(a, peer, "old", ["old 1005", "old 1004", "old 1003"], where=[LOCAL], search_time_position=1005, search_time_period=2)
    finds(a, peer, "old", ["old 1001", "old 1000"], where=[LOCAL], search_time_position=1001)
    finds(a, peer, "old", [], where=[CLOUD])


def test_both_shapes(t):
    """In one conversation messages are counted; over all conversations conversations, and one hit comes along."""
    a, b, c = t.users("alice", "bob", "carol")
    say(a, b, "apple one", "apple two", "pear")
    say(a, c, "apple three", "pear too")
    for function in BOTH:
        found = result(a, function, "apple")
        equal(total(found), 2, "conversations with hits, " + function)
        equal([(p, n, [text_of(m) for m in ms]) for p, n, ms in items(found)],
              [(c.name, 1, ["apple three"]), (b.name, 2, [])], "newest hit first, " + function)
        equal([i["msg_search_result_item_conv_type"] for i in found["msg_search_result_item_array"]], [C2C, C2C], "kinds")
        found = result(a, function, "apple", peer=b.name)
        equal((total(found), texts(found)), (2, ["apple two", "apple one"]), "in one conversation, " + function)
        m = items(result(a, function, "apple", peer=c.name))[0][2][0]
        equal((m["message_conv_id"], m["message_sender"], m["message_is_from_self"], m["message_status"]),
              (c.name, a.name, True, timbre.SENT), "a found message, " + function)


def test_pages(t):
    a, b = t.users("alice", "bob")
    say(a, b, *["item %d" % i for i in range(25)])
    want = ["item %d" % i for i in range(24, -1, -1)]
    got = []
    for index in range(4):
        found = result(a, LOCAL, "item", peer=b.name, page_index=index, page_size=10)
        equal(total(found), 25, "total on page %d" % index)
        got.append(texts(found))
    equal([len(p) for p in got], [10, 10, 5, 0], "local pages")
    equal(sum(got, []), want, "local pages")
    finds(a, b.name, "item", want, where=[LOCAL])
    got, cursor = [], ""
    while True:
        found = result(a, CLOUD, "item", peer=b.name, search_count=10, search_cursor=cursor)
        equal(total(found), 25, "total")
        got.append(texts(found))
        cursor = found["msg_search_result_search_cursor"]
        if not cursor:
            break
        check(len(got) < 5, "the pages do not end")
    equal([len(p) for p in got], [10, 10, 5], "cloud pages")
    equal(sum(got, []), want, "cloud pages")


def test_pages_over_all(t):
    a = t.user("alice")
    others = t.users("p1", "p2", "p3", "p4", "p5")
    for o in others:
        say(a, o, "hello " + o.name)
    names = [o.name for o in others][::-1]
    pages = [[p for p, _, _ in items(result(a, LOCAL, "hello", page_index=i, page_size=2))] for i in range(4)]
    equal(pages, [names[:2], names[2:4], names[4:], []], "local pages")
    found = result(a, LOCAL, "hello", peer=names[0], kind=0)
    equal([p for p, _, _ in items(found)], names, "no type is all conversations, whatever the id")
    found = result(a, CLOUD, "hello", search_count=3)
    equal((total(found), [p for p, _, _ in items(found)]), (5, names[:3]), "the first page of the cloud")
    found = result(a, CLOUD, "hello", search_count=3, search_cursor=found["msg_search_result_search_cursor"])
    equal((total(found), [p for p, _, _ in items(found)]), (5, names[3:]), "the second page of the cloud")
    equal(found["msg_search_result_search_cursor"], "", "the cursor after the last page")


def test_pages_of_the_last_hour(t):
    """A window that ends now stays what it was on the first page, however late the next one is asked for."""
    a, b = t.users("alice", "bob")
    say(a, b, *["item %d" % i for i in range(3)])
    for where in ({"peer": b.name}, {}):
        if not where:
            say(b, a, "item of bob")
            say(a, t.user("carol"), "item of carol")
        window = dict(where, search_time_period=3600, search_count=1)
        found = result(a, CLOUD, "item", **window)
        first = int(time.time())
        while int(time.time()) == first:
            result(a, CLOUD, "item", **window)
        got, cursor = [items(found)], found["msg_search_result_search_cursor"]
        check(cursor, "there is no second page")
        while cursor:
            found = result(a, CLOUD, "item", search_cursor=cursor, **window)
            got.append(items(found))
            cursor = found["msg_search_result_search_cursor"]
        equal(len(got), 3 if where else 2, "pages")
        other = dict(window, search_time_period=0, search_cursor=result(a, CLOUD, "item", **window)["msg_search_result_search_cursor"])
        equal(a.ask(CLOUD, param("item", **other)).code, 6017, "the cursor of another question")


def test_edit_and_revoke(t):
    a, b = t.users("alice", "bob")
    edited, revoked = say(a, b, "first draft", "a slip")
    finds(b, a.name, "draft", ["first draft"])
    at = b.mark()
    a.ok("TIMMsgModifyMessage", dict(edited, message_elem_array=[text_elem("final version")]))
    a.ok("TIMMsgRevoke", b.name, C2C, revoked)
    b.event("TIMSetMsgUpdateCallback", after=at)
    b.event("TIMSetMsgRevokeCallback", after=at)
    for client, peer in ((a, b.name), (b, a.name)):
        finds(client, peer, "draft", [])
        finds(client, peer, "version", ["final version"])
        finds(client, peer, "slip", [])
        for function in BOTH:
            equal(total(result(client, function, "slip")), 0, "a revoked message over all")


def test_delete_and_clear(t):
    a, b = t.users("alice", "bob")
    kept, gone, _ = say(a, b, "word kept", "word deleted", "word here alone")
    finds(a, b.name, "word", ["word here alone", "word deleted", "word kept"])
    a.ok("TIMMsgListDelete", b.name, C2C, [gone])
    finds(a, b.name, "word", ["word here alone", "word kept"])
    finds(b, a.name, "word", ["word here alone", "word deleted", "word kept"])
    for function in BOTH:
        equal([n for _, n, _ in items(result(a, function, "word"))], [2], "totals after a deletion")
    a.ok("TIMMsgClearHistoryMessage", b.name, C2C)
    finds(a, b.name, "word", [])
    finds(b, a.name, "word", ["word here alone", "word deleted", "word kept"])
    say(a, b, "word again")
    finds(a, b.name, "word", ["word again"])


def test_import_and_save(t):
    a = t.user("alice")
    peer = t.name("imported")
    a.ok("TIMMsgSaveMsg", peer, C2C, {"message_elem_array": [text_elem("note saved")], "message_sender": peer})
    finds(a, peer, "note", ["note saved"], where=[LOCAL])
    a.ok("TIMMsgImportMsgList", peer, C2C, [{"message_elem_array": [text_elem("note %d" % s)], "message_sender": peer,
                                             "message_client_time": s, "message_server_time": s} for s in (1000, 2000)])
    finds(a, peer, "note", ["note saved", "note 2000", "note 1000"], where=[LOCAL])
    finds(a, peer, "note", [], where=[CLOUD])


def test_group(t):
    a, b = t.users("alice", "bob")
    group = a.ok("TIMGroupCreate", {
        "create_group_param_group_name": "searched", "create_group_param_group_type": 1,
        "create_group_param_group_member_array": [{"group_member_info_identifier": b.name}]}).json["create_group_result_groupid"]
    b.conv_event(timbre.ADD, group)
    message = a.begin("TIMMsgSendMessage", group, GROUP, {"message_elem_array": [text_elem("群里的消息")]}).wait(code=0).json
    b.incoming("群里的消息")
    say(a, b, "消息")
    for client in (a, b):
        finds(client, group, "消息", ["群里的消息"], kind=GROUP)
        for function in BOTH:
            found = result(client, function, "消息")
            equal(total(found), 2, "conversations")
            check(group in [p for p, _, _ in items(found)], "the group is missing in %r" % found)
    at = b.mark()
    a.ok("TIMMsgRevoke", group, GROUP, message)
    b.event("TIMSetMsgRevokeCallback", after=at)
    finds(b, group, "消息", [], kind=GROUP)
    c = t.user("carol")
    equal(total(result(c, CLOUD, "消息")), 0, "what a stranger finds")
    equal(c.ask(CLOUD, param("消息", peer=group, kind=GROUP)).code, 10007, "a stranger in the group")


def test_cloud_finds_what_is_not_here(t):
    """A fresh device has the newest alone; the server has all."""
    a, b = t.users("alice", "bob")
    say(a, b, "the very first", *["m%d" % i for i in range(60)])
    a.logout()
    fresh = t.user("alice")
    found = result(fresh, CLOUD, "very", peer=b.name)
    equal(texts(found), ["the very first"], "found on the server")
    equal(texts(result(fresh, LOCAL, "very", peer=b.name)), [], "not here, and a search does not bring it")


def test_survives_restarts(t):
    server, folder = t.own_server(), t.folder()
    a, b = t.user("alice", folder=folder), t.user("bob")
    say(a, b, *["hello %d" % i for i in range(50)])
    a.kill()
    server.stop(hard=True)
    server.start()
    again = t.client("alice", folder=folder).init().login()
    for function in BOTH:
        equal(total(result(again, function, "hello", peer=b.name)), 50, function + " after kill -9 of both")
    again.text(b.name, "hello again")
    for function in BOTH:
        equal(total(result(again, function, "hello", peer=b.name)), 51, function + " after one more")


def test_without_connection(t):
    server = t.own_server()
    a, b = t.users("alice", "bob")
    say(a, b, "hello")
    server.stop()
    a.network(timbre.DISCONNECTED)
    finds(a, b.name, "hello", ["hello"], where=[LOCAL])
    a.packet_timeout(1)
    check(a.ask(CLOUD, param("hello")).code != 0, "a cloud search without a server succeeds")
