"""An encrypted database: nothing of it can be read on the disk, and a key that does not fit loses nothing."""
import os

import timbre
from timbre import check, equal, text_elem

KEY, OTHER = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
SECRETS = (b"ein Geheimnis", b"secret-peer", b"text_elem_content", b"SQLite format 3")


def encrypt(client, kind, key=None):
    param = {"database_encrypt_info_encrypt_type": kind}
    if key is not None:
        param["database_encrypt_info_encrypt_key"] = key
    return client.experiment("set_database_encrypt_info", request_set_database_encrypt_info_param=param).code


def locked(t, folder, base="alice", kind=4, key=KEY):
    c = t.client(base, folder=folder).init()
    equal(encrypt(c, kind, key), 0, "setting the key")
    return c


def readable(folder):
    """Which secrets stand in which files below a folder."""
    found = []
    for path, _, names in os.walk(os.path.join(folder, "data")):
        for name in names:
            try:
                with open(os.path.join(path, name), "rb") as f:
                    data = f.read()
            except FileNotFoundError:  # a process that lives takes files away
                continue
            found += [(name, s) for s in SECRETS if s in data]
    return found


def names(folder):
    return sorted(n for _, _, files in os.walk(os.path.join(folder, "data")) for n in files)


def refused(client, what):
    r = client.login_again()
    check(r.code == 7010 and "key" in r.desc, "%s: the login got %r" % (what, r))
    equal((client.status(), client.user()), (timbre.UNLOGINED, ""), "%s: the state" % what)


def test_nothing_is_readable(t):
    """Not in the database, not in its journal, not in what a killed process had accepted."""
    server = t.own_server()
    folder = t.folder()
    a, b = locked(t, folder).login(), t.user("secret-peer")
    for i in range(20):
        a.text(b.name, "ein Geheimnis %d" % i)
    server.stop()
    a.network(timbre.DISCONNECTED)
    for i in range(20):
        a.send(b.name, [text_elem("ein Geheimnis, unterwegs %d" % i)])
    a.kill()
    check({"timbre.db", "timbre.db-wal", "accepted.jsonl"} <= set(names(folder)), "the files are %r" % names(folder))
    equal(readable(folder), [], "what can be read")
    server.start()
    again = locked(t, folder).login()
    got = b.incoming_count(40)
    equal([m["message_msg_id"] for m in got], [m["message_msg_id"] for m in reversed(again.history(b.name, 50))], "the history")
    again.logout()
    equal(readable(folder), [], "what can be read after the logout")
    plain = t.folder()
    t.user("carol", folder=plain).text(b.name, "ein Geheimnis")
    check(len(readable(plain)) > 2, "the search finds nothing in a plain database either")


def test_keys_that_do_not_fit(t):
    """Another key, none, or one for a plain database: a clear error, and with the right one everything is there."""
    folder = t.folder()
    a, b = locked(t, folder).login(), t.user("bob")
    a.text(b.name, "kept")
    a.close()
    a = t.client("alice", folder=folder).init()
    refused(a, "no key")
    equal(a.experiment("init_local_storage", request_init_local_storage_user_id_param=a.name).code, 7010, "the cache without a key")
    equal(encrypt(a, 4, OTHER), 0, "setting another key")
    refused(a, "another key")
    equal(encrypt(a, 0), 0, "setting none")
    refused(a, "type 0")
    equal(encrypt(a, 4, KEY.upper()), 0, "setting the right key")
    a.login()
    equal(a.texts(b.name, cloud=False), ["kept"], "the history")


def test_a_plain_database_wants_no_key(t):
    folder = t.folder()
    a, b = t.user("alice", folder=folder), t.user("bob")
    a.text(b.name, "plain")
    a.close()
    a = locked(t, folder)
    refused(a, "a key for a plain database")
    equal(encrypt(a, 0), 0, "setting none")
    a.login()
    equal(a.texts(b.name, cloud=False), ["plain"], "the history")


def test_parameters(t):
    """All four kinds encrypt; type 0 does not, whatever the key; nothing changes while a database is open."""
    a = t.client("alice")
    equal(encrypt(a, 4, KEY), 0, "before TIMInit")
    a.init().login()
    a.text(a.name, "ein Geheimnis")
    equal(readable(a.folder), [], "what can be read")
    a = t.client("bob").init()
    for kind, key in ((4, None), (4, ""), (4, KEY[:-1]), (4, KEY + "00"), (4, "x" * 32), (5, KEY), (-1, KEY)):
        equal(encrypt(a, kind, key), 6017, "type %r with key %r" % (kind, key))
    equal(encrypt(a, 0, KEY), 0, "type 0")
    a.login()
    equal(encrypt(a, 4, KEY), 6017, "a key while a user is logged in")
    a.text(a.name, "ein Geheimnis")
    check(readable(a.folder), "type 0 encrypts")
    for kind in (1, 2, 3):
        c = locked(t, t.folder(), "user%d" % kind, kind).login()
        c.text(c.name, "ein Geheimnis")
        equal(readable(c.folder), [], "what can be read of type %d" % kind)


def test_two_users_of_one_folder(t):
    """The key is for every database that is opened after it: another user's too."""
    folder = t.folder()
    a = locked(t, folder).login()
    a.text(a.name, "ein Geheimnis")
    other = t.name("other")
    equal(a.ask("TIMLogin", other, timbre.sig(other)).code, 0, "the login of another user")
    a.text(other, "ein Geheimnis")
    equal(readable(folder), [], "what can be read")
    equal(a.login_again().code, 0, "the first user again")
    equal(a.texts(a.name, cloud=False), ["ein Geheimnis"], "the history of the first user")
