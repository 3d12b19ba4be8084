"""What the users of a fixture do: the conversation that make.py has with a release's own library and server.

Every release plays as much of it as it has built: what answers 7013 is left out.
"""
import os

import timbre
from timbre import C2C, CUSTOM, FACE, GROUP, LOCATION, check, text_elem

KEY = "00112233445566778899aabbccddeeff"  # of carol's database
NOT_BUILT = 7013
ELEMENTS = [text_elem("世界 \U0001f600 \"q\""), {"elem_type": CUSTOM, "custom_elem_data": "{\"a\":1}", "custom_elem_desc": "d"},
            {"elem_type": FACE, "face_elem_index": 17, "face_elem_buf": "b"},
            {"elem_type": LOCATION, "location_elem_desc": "上海", "location_elem_longitude": 121.4, "location_elem_latitude": 31.2}]


def built(result):
    check(result.code in (0, NOT_BUILT), "a call of the fixture got %r" % result)
    return result.code == 0


class Talk:
    """alice, bob and carol; alice has one device and dies in the end with a message on its way."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.alice, self.bob, self.carol = (self.client(n) for n in ("alice", "bob", "carol"))
        self.encrypted = built(self.carol.experiment("set_database_encrypt_info", request_set_database_encrypt_info_param={
            "database_encrypt_info_encrypt_type": 4, "database_encrypt_info_encrypt_key": KEY}))
        for c in (self.alice, self.bob, self.carol):
            c.login()
        self.group = ""

    def client(self, name):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        return timbre.Client(name, self.server, folder=folder).init()

    def play(self):
        self.one_to_one()
        self.only_here()
        self.in_a_group()
        self.changes()
        self.media()
        self.wait_for_all()

    def wait_for_all(self):
        """A last message each way, in which everything before it has come."""
        for a, b in ((self.bob, self.alice), (self.carol, self.alice), (self.alice, self.bob)):
            text = "%s has said everything" % a.name
            a.text(b.name, text)
            b.incoming(text)

    def one_to_one(self):
        """Read and unread messages both ways, every kind of element, an own conversation, one with oneself."""
        a, b = self.alice, self.bob
        for i in range(8):
            x, y = (a, b) if i % 2 else (b, a)
            x.text(y.name, "talk %d" % i)
            y.incoming("talk %d" % i)
        a.ok("TIMMsgReportReaded", b.name, C2C, None)
        for e in ELEMENTS:
            a.sent(b.name, [e])
        a.sent(b.name, ELEMENTS)
        for i in range(3):
            b.text(a.name, "unread %d" % i)
            self.carol.text(a.name, "carol %d" % i)
        a.text(self.carol.name, "an answer")
        a.text(a.name, "a note to myself")

    def only_here(self):
        """A failed message, one that was only saved, local data, a conversation that was deleted."""
        a = self.alice
        a.send("nobody", [text_elem("to nobody")]).wait()
        built(a.ask("TIMMsgSaveMsg", self.bob.name, C2C, {"message_elem_array": [text_elem("saved")], "message_sender": a.name}))
        m = a.text(self.bob.name, "with local data")
        built(a.ask("TIMMsgSetLocalCustomData", dict(m, message_custom_str="mine", message_custom_int=7)))
        dave = self.client("dave").login()
        dave.text(a.name, "forget me")
        a.incoming("forget me")
        a.ok("TIMConvDelete", dave.name, C2C)
        dave.logout().close()

    def in_a_group(self):
        a, b, c = self.alice, self.bob, self.carol
        r = a.ask("TIMGroupCreate", {
            "create_group_param_group_name": "the group", "create_group_param_group_type": 1,
            "create_group_param_group_member_array": [{"group_member_info_identifier": x.name} for x in (b, c)]})
        if not built(r):
            return
        self.group = r.json["create_group_result_groupid"]
        for x in (b, c):
            x.conv_event(timbre.ADD, self.group)
        for i in range(6):
            (a, b, c)[i % 3].text(self.group, "group %d" % i, kind=GROUP)
        a.incoming("group 5")
        a.ok("TIMMsgReportReaded", self.group, GROUP, None)
        for text, keys in (("alice!", {"message_group_at_user_array": [a.name]}), ("group unread", {})):
            b.text(self.group, text, kind=GROUP, **keys)
            a.incoming(text)

    def changes(self):
        """What happens to messages later."""
        a, b = self.alice, self.bob
        asking = a.text(b.name, "please confirm", message_need_read_receipt=True)
        got = b.incoming("please confirm")
        if not built(b.ask("TIMMsgSendMessageReadReceipts", [got])):
            return
        revoked, edited, loved = (a.text(b.name, t, **({"message_support_message_extension": True} if t == "loved" else {}))
                                  for t in ("revoked", "to be edited", "loved"))
        built(a.ask("TIMMsgRevoke", b.name, C2C, revoked))
        built(a.ask("TIMMsgModifyMessage", dict(edited, message_elem_array=[text_elem("edited")])))
        b.incoming("loved")
        built(b.ask("TIMMsgAddMessageReaction", b.ok("TIMMsgFindMessages", [loved["message_msg_id"]]).json[0], "thumb"))
        built(a.ask("TIMMsgSetMessageExtensions", loved, [{"message_extension_key": "k", "message_extension_value": "v"}]))
        pinned = a.text(self.group, "pinned", kind=GROUP)
        built(a.ask("TIMPinGroupMessage", self.group, pinned, True))
        built(a.ask("TIMMsgSetC2CReceiveMessageOpt", [self.carol.name], 2))
        a.event("TIMSetMsgReadedReceiptCallback", lambda e: asking["message_msg_id"] in e.args[0])

    def media(self):
        path = os.path.join(self.folder, "notes.txt")
        with open(path, "w") as f:
            f.write("a file of an earlier release\n" * 20)
        r = self.bob.send(self.alice.name, [{"elem_type": timbre.FILE, "file_elem_file_path": path, "file_elem_file_name": "notes.txt"}]).wait()
        check(r.code == 0 or not self.group, "the file got %r" % r)

    def cut_short(self):
        """alice's process dies with messages on their way that the server never saw, the last one accepted a moment ago and in
        no database yet."""
        self.server.stop()
        self.alice.network(timbre.DISCONNECTED)
        calls = [self.alice.send(self.bob.name, [text_elem("on its way %d" % i)]) for i in range(2)]
        if self.group:
            calls.append(self.alice.send(self.group, [text_elem("on its way to the group")], kind=GROUP))
        self.alice.history(self.bob.name, cloud=False)  # behind the sends' commit
        calls.append(self.alice.call("TIMMsgSendMessage", self.bob.name, C2C, {"message_elem_array": [text_elem("accepted alone")]}, die="return"))
        self.alice.kill()
        return [c.out["message_id_buffer"] for c in calls]
