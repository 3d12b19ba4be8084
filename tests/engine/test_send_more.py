"""More of sending: to many at once, what only the sender keeps, keys beyond the vendor's, a message named by its id alone."""
import files
from files import element
from talks import shown, talks
from timbre import CUSTOM, FACE, FAILED, GROUP, LOCATION, SENT, TEXT, check, equal, text_elem, text_of

ELEMENTS = [{"elem_type": TEXT, "text_elem_content": "\u4e16\u754c \U0001f600 \"q\" \\ \n"},
            {"elem_type": CUSTOM, "custom_elem_data": "{\"a\":1}", "custom_elem_desc": "d", "custom_elem_ext": "e", "custom_elem_sound": "s"},
            {"elem_type": FACE, "face_elem_index": 17, "face_elem_buf": "b\u00e4"},
            {"elem_type": LOCATION, "location_elem_desc": "\u4e0a\u6d77", "location_elem_longitude": 121.473701,
             "location_elem_latitude": -31.230416, "ext_location_elem_scale": 12.5}]


@talks(restarts=True)
def test_every_device_has_the_same(t, talk):
    """Each element alone and all in one message: the event and the history of every device say what the result said."""
    sent = [talk.a.send(e).wait(code=0).json for e in [[x] for x in ELEMENTS] + [ELEMENTS]]
    for side in talk.all[1:]:
        for m in sent:
            got = side.client.incoming(lambda x: x["message_msg_id"] == m["message_msg_id"])
            equal(got["message_elem_array"], m["message_elem_array"], "the elements in the event")
    talk.middle()
    keys = ("message_msg_id", "message_seq", "message_elem_array", "message_server_time", "message_client_time", "message_rand",
            "message_unique_id", "message_sender", "message_status", "message_priority", "ext_message_server_time_ms")
    want = [{k: m[k] for k in keys} for m in reversed(sent)]
    for side in talk.all + [talk.fresh(talk.b)]:
        equal([{k: m[k] for k in keys} for m in side.history()], want, "the history")
    for side in talk.all:
        equal([m["message_msg_id"] for m in side.client.received()].count(sent[0]["message_msg_id"]), side is not talk.a, "events")


@talks()
def test_keys_beyond_the_vendors(t, talk):
    m = talk.a.text("x", ext_message_target_name="Bob the Builder", ext_message_no_offline=True)
    got = talk.b.client.incoming("x")
    for what, x in (("result", m), ("event", got), ("history", talk.b.history(1)[0])):
        equal((x["ext_message_target_name"], x["ext_message_no_offline"]), ("Bob the Builder", True), "the keys in the " + what)
        equal(x["ext_message_server_time_ms"] // 1000, x["message_server_time"], "milliseconds in the " + what)
        equal(x.get("ext_message_group_type"), 1 if talk.kind == GROUP else None, "the group type in the " + what)


@talks()
def test_a_message_named_by_its_id(t, talk):
    """A call on a message needs no more of it than its id."""
    m = talk.fill(2)[1]
    name = {"message_msg_id": m["message_msg_id"]}
    talk.a.client.ok("TIMMsgSetLocalCustomData", dict(name, message_elem_array=m["message_elem_array"], message_custom_str="mine"))
    equal(talk.a.found(m)["message_custom_str"], "mine", "the local data")
    equal(talk.a.texts(last=name), ["m0"], "the history before it")
    got = talk.b.ask("TIMMsgDelete", {"msg_delete_param_msg": name, "msg_delete_param_is_ramble": True})
    equal((got.code, talk.b.texts()), (0, ["m0"]), "deleting it (%s)" % got.desc)
    got = talk.a.ask("TIMMsgRevoke", name)
    equal((got.code, talk.a.status(m)), (0, 6), "revoking it (%s)" % got.desc)
    name = {"message_msg_id": talk.a.text("read me", message_need_read_receipt=True)["message_msg_id"]}
    talk.b.client.incoming("read me")
    equal(talk.b.client.ask("TIMMsgSendMessageReadReceipts", [name]).code, 0, "confirming it")
    got = talk.a.client.ok("TIMMsgGetMessageReadReceipts", [name]).json[0]
    equal((got["msg_receipt_msg_id"], got["msg_receipt_read_count"] if talk.kind == GROUP else got["msg_receipt_is_peer_read"]),
          (name["message_msg_id"], 1 if talk.kind == GROUP else True), "its receipt")


@talks()
def test_not_the_last_message(t, talk):
    """Excluded from the last message: it is received, counted and in the history, and the list shows the one before."""
    talk.a.text("shown")
    talk.a.text("hidden", message_excluded_from_last_message=True)
    for side in talk.all[1:]:
        side.client.incoming("hidden")
    for side in talk.all + [talk.fresh(talk.b)]:
        equal((side.last(), side.texts()), ("shown", ["hidden", "shown"]), "last message and history")
    equal((talk.b.unread(), talk.fresh(talk.b).unread()), (2, 2), "unread")


@talks()
def test_excluded_from_unread(t, talk):
    talk.a.text("counts")
    talk.a.text("does not", message_is_excluded_from_unread_count=True)
    for side in (talk.b, talk.b2):
        side.client.incoming("does not")
    for side in (talk.b, talk.b2, talk.fresh(talk.b)):
        equal((side.unread(), side.last()), (1, "does not"), "unread and last message")


@talks()
def test_custom_data(t, talk):
    """The cloud's goes to everybody, the local data stay on the device that set them."""
    push = {"offline_push_config_desc": "d", "offline_push_config_ext": "e", "offline_push_config_flag": 1,
            "offline_push_config_android_config": {"android_offline_push_config_title": "t"}}
    m = talk.a.text("x", message_cloud_custom_str="cloud \u4e91", message_custom_str="local", message_custom_int=7,
                    message_offline_push_config=push)
    for side in talk.all[1:]:
        got = side.client.incoming("x")
        equal(got["message_offline_push_config"], push, "how those who are away are told")
        equal([got["message_" + k] for k in ("cloud_custom_str", "custom_str", "custom_int")], ["cloud \u4e91", "", 0], "elsewhere")
    got = talk.a.found(m)
    equal([got["message_" + k] for k in ("cloud_custom_str", "custom_str", "custom_int")], ["cloud \u4e91", "local", 7], "here")


def test_batch(t):
    """One message to many: a result each, in the order of the names; who does not exist fails alone."""
    t.own_server(devices="all")
    a, a2, b, c = t.users("alice", "alice", "bob", "carol")
    nobody = t.name("nobody")
    r = a.ask("TIMMsgBatchSend", {"msg_batch_send_param_identifier_array": [b.name, nobody, c.name],
                                  "msg_batch_send_param_msg": {"message_elem_array": [text_elem("to all of you")]}})
    equal(r.code, 0, "the code")
    key = "msg_batch_send_result_"
    equal([(x[key + "identifier"], x[key + "code"]) for x in r.json], [(b.name, 0), (nobody, 20003), (c.name, 0)], "the results")
    equal([x[key + "msg"]["message_status"] for x in r.json], [SENT, FAILED, SENT], "the statuses")
    equal(len({x[key + "msg"]["message_msg_id"] for x in r.json}), 3, "different ids")
    check(r.json[1][key + "desc"], "no description of the failure")
    for user, x in ((b, r.json[0]), (c, r.json[2])):
        equal(user.incoming("to all of you")["message_msg_id"], x[key + "msg"]["message_msg_id"], "the id there")
        a2.incoming(lambda m: m["message_conv_id"] == user.name)
        equal((shown(a.conversation(user.name)), user.unread(a.name)), ("to all of you", 1), "the conversations")
    path = files.write(t.folder(), "x.bin", files.noise(3000))
    r = a.ask("TIMMsgBatchSend", {"msg_batch_send_param_identifier_array": [b.name, c.name],
                                  "msg_batch_send_param_msg": {"message_elem_array": [files.file(path)]}})
    equal(len({element(x[key + "msg"])["file_elem_file_id"] for x in r.json}), 1, "the ids of the file")
    message = {"message_elem_array": [text_elem("x")]}
    for users in ([], ["u%d" % i for i in range(501)]):
        equal(a.ask("TIMMsgBatchSend", {"msg_batch_send_param_identifier_array": users, "msg_batch_send_param_msg": message}).code, 6017,
              "%d users" % len(users))
    equal(a.ask("TIMMsgBatchSend", {"msg_batch_send_param_msg": message}).code, 6017, "no users")
    equal(a.ask("TIMMsgBatchSend", {"msg_batch_send_param_identifier_array": [b.name]}).code, 6017, "no message")


@talks()
def test_status_of_a_send(t, talk):
    """1 while it waits for the server, 2 afterwards; in the history, in the list and found by its id."""
    talk.fill(1)
    talk.server.stop()
    talk.a.client.network(1)
    call = talk.a.send([text_elem("waits")])
    name = {"message_msg_id": call.out["message_id_buffer"]}
    equal((talk.a.status(name), talk.a.history(1, cloud=False)[0]["message_status"], talk.a.info()["conv_last_msg"]["message_status"]),
          (1, 1, 1), "the status while it waits")
    talk.server.start()
    m = call.wait(code=0).json
    equal((m["message_status"], talk.a.status(name), talk.a.info()["conv_last_msg"]["message_status"]), (SENT,) * 3, "afterwards")
    talk.b.client.incoming("waits")


@talks()
def test_size_limit(t, talk):
    """12 KB are what the fields may have together, cloud data too."""
    talk.a.text("x" * 12288)
    talk.a.send([text_elem("x" * 12289)]).wait(code=8001)
    talk.a.send([text_elem("x" * 12000)], message_cloud_custom_str="y" * 300).wait(code=8001)
    talk.a.send([{"elem_type": CUSTOM, "custom_elem_data": "x" * 13000}]).wait(code=8001)
    talk.b.client.incoming("x" * 12288)


def test_new_and_ex_to_a_group(t):
    a, b = t.users("alice", "bob")
    group = a.ok("TIMGroupCreate", {"create_group_param_group_name": "g", "create_group_param_group_type": 1,
                                    "create_group_param_group_member_array": [{"group_member_info_identifier": b.name}]}
                 ).json["create_group_result_groupid"]
    a.begin("TIMMsgSendNewMsg", group, GROUP, {"message_elem_array": [text_elem("new")]}).wait(code=0)
    c = a.begin("TIMMsgSendNewMsgEx", group, GROUP, {"message_elem_array": [text_elem("ex")]})
    c.wait(purpose="res_cb", code=0)
    equal([p for p, _ in c.callbacks], ["msgid_cb", "res_cb"], "callbacks")
    for text in ("new", "ex"):
        b.incoming(text)
    equal(a.send(t.name("nowhere"), [text_elem("x")], kind=GROUP).wait().json["message_status"], FAILED, "to a group that is none")
