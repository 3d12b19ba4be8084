"""A message of another conversation: its number means another message here, which must not be touched."""
from timbre import C2C, check, equal, text_elem


def test_number_of_another_conversation(t):
    t.own_server(devices="all")
    alice, bob, carol = t.users("alice", "bob", "carol")
    for peer, text in ((bob, "first for bob"), (carol, "first for carol")):
        alice.sent(peer.name, [text_elem(text)])
        peer.incoming(text)
    [theirs] = alice.history(carol.name)
    [mine] = bob.history(alice.name)
    equal(theirs["message_seq"], mine["message_seq"], "the numbers")
    for name, args in (("TIMMsgRevoke", [theirs]), ("TIMMsgListDelete", [[theirs]]),
                       ("TIMMsgDelete", [{"msg_delete_param_msg": theirs, "msg_delete_param_is_ramble": True}])):
        equal(alice.ask(name, bob.name, C2C, *args).code, 6017, name)
    equal(bob.texts(alice.name), ["first for bob"], "what bob has")
    for client in (alice, t.user("alice")):
        check("first for bob" in client.texts(bob.name), "a device of alice lost the message")
