"""The local database and everything that can happen to it: each failure has its code, and nothing is lost that can be kept."""
import os
import shutil
import sqlite3

import timbre
from disks import SmallDisk, again, all_texts, aside, database, held_to_permissions, log, other_user_is_fine, refused, spoil
from test_encryption import KEY, encrypt, readable
from timbre import C2C, check, equal, text_elem

LOCAL = "TIMMsgImportMsgList"


def talked(t, n=40, names=("alice", "bob"), **options):
    """alice, bob, and what they said: texts of some size, so that the database has many pages."""
    a, b = t.user(names[0], **options), t.user(names[1])
    calls = [a.send(b.name, [text_elem("m%d %s" % (i, "x" * 2000))]) for i in range(n)]
    for c in calls:
        c.wait(code=0)
    b.text(a.name, "the last one")
    a.incoming("the last one")
    said = ["the last one"] + ["m%d %s" % (i, "x" * 2000) for i in range(n - 1, -1, -1)]
    return a, b, said


def ended(client):
    client.logout()
    client.call("TIMUninit")
    client.kill()


def with_treasures(t):
    """As talked, and alice has what the server does not: a local message, a draft, and messages that never got out."""
    server = t.own_server()
    a, b, said = talked(t)
    a.ok(LOCAL, "friend", C2C, [{"message_elem_array": [text_elem("only here")], "message_sender": "friend",
                                 "message_client_time": 1000, "message_server_time": 1000}])
    equal(a.call("TIMConvSetDraft", "friend", C2C, {"draft_user_define": "half a thought", "draft_edit_time": 1700000000}).rc, 0, "the draft")
    a.conv_event(timbre.UPDATE, "friend", match=lambda c: c["conv_is_has_draft"])
    server.stop()
    a.network(timbre.DISCONNECTED)
    for i in range(3):
        a.send(b.name, [text_elem("unsent %d" % i)])
    check(a.texts(b.name, 3, cloud=False) == ["unsent 2", "unsent 1", "unsent 0"], "the messages on their way are not there")
    a.kill()
    return server, a, b, said


def into_main(path):
    """Brings the log into the main file, so that each page has one place, as after a clean end."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    with open(path + ".lock", "w") as f:
        f.write("closed")


def healed(t, damage, log_says="set aside"):
    """Damages alice's database, and the next login has everything again."""
    server, a, b, said = with_treasures(t)
    path = database(a)
    into_main(path)
    db = sqlite3.connect(path)
    device = db.execute("SELECT value FROM meta WHERE key='device'").fetchone()[0]
    db.close()
    readable = damage(path)
    server.start()
    again(a).login()
    equal(len(aside(a)), 1, "files that were set aside")
    check(log_says in log(a), "the log does not say what was done")
    if readable:
        for i in range(3):
            b.incoming("unsent %d" % i)
        said = ["unsent 2", "unsent 1", "unsent 0"] + said
        equal(a.texts("friend", cloud=False), ["only here"], "the local messages")
        equal(a.conversation("friend")["conv_draft"]["draft_user_define"], "half a thought", "the draft")
        db = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
        equal(db.execute("SELECT value FROM meta WHERE key='device'").fetchone()[0], device, "the device's number")
        db.close()
    equal(all_texts(a, b.name), said, "alice's history")
    equal(all_texts(b, a.name), said, "bob's history")
    equal(a.unread(b.name), 1, "unread")
    a.text(b.name, "and on")
    ended(a)
    equal(all_texts(again(a).login(), b.name, cloud=False)[:2], ["and on", said[0]], "the history after another start")
    equal(len(aside(a)), 1, "files that were set aside")


def test_header_is_garbage(t):
    healed(t, lambda path: spoil(path, 0, 100))


def test_file_is_cut_off(t):
    healed(t, lambda path: os.truncate(path, 5 * 4096 + 77))


def test_file_is_something_else(t):
    def write(path):
        with open(path, "wb") as f:
            f.write(b"This is not a database. " * 3000)
    healed(t, write)


def test_page_in_the_middle(t):
    """Nobody notices at the start; whoever reads the page gets 7010, and the next login heals it."""
    server, a, b, said = with_treasures(t)
    path = database(a)
    into_main(path)
    db = sqlite3.connect(path)
    oldest = db.execute("SELECT rootpage FROM sqlite_schema WHERE name='message_sort'").fetchone()[0]
    db.close()
    spoil(path, (oldest - 1) * 4096, 4096)
    server.start()
    again(a)
    a.ok("TIMLogin", a.name, timbre.sig(a.name))
    equal(aside(a), [], "files that were set aside at the first start")
    r = a.ask("TIMMsgGetMsgList", b.name, C2C, {"msg_getmsglist_param_count": 20})
    check(r.code == 7010 and "damaged" in r.desc, "reading the page got %r" % r)
    check("the next login heals it" in log(a), "the log does not say that the database is damaged")
    a.logout().login()
    equal(len(aside(a)), 1, "files that were set aside")
    for i in range(3):
        b.incoming("unsent %d" % i)
    equal(a.texts("friend", cloud=False), ["only here"], "the local messages")
    equal(all_texts(a, b.name), ["unsent 2", "unsent 1", "unsent 0"] + said, "the history")


def test_what_this_device_alone_knew_of_messages(t):
    """Custom data and deletions on this device outlive a damaged database, though the messages come from the server."""
    a, b, said = talked(t, 5)
    noted = a.sent(b.name, [text_elem("with a note")], message_custom_str="for me", message_custom_int=7)
    b.incoming("with a note")
    gone = a.history(b.name)[3]
    a.ok("TIMMsgDelete", b.name, C2C, {"msg_delete_param_msg": gone, "msg_delete_param_is_ramble": False})
    ended(a)
    path = database(a)
    into_main(path)
    db = sqlite3.connect(path)
    page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name='message_sort'").fetchone()[0]
    db.close()
    spoil(path, (page - 1) * 4096, 4096)
    again(a).login()
    a.ask("TIMMsgGetMsgList", b.name, C2C, {"msg_getmsglist_param_count": 20})
    for start in 1, 2:
        a.logout().login()
        equal(len(aside(a)), 1, "files that were set aside")
        want = ["with a note"] + said[:2] + said[3:]
        equal(all_texts(a, b.name), want, "alice's history, start %d" % start)
        m = a.history(b.name)[0]
        equal((m["message_msg_id"], m["message_custom_str"], m["message_custom_int"]), (noted["message_msg_id"], "for me", 7), "her note")
    equal(all_texts(b, a.name), ["with a note"] + said, "bob's history")


def test_file_is_empty_or_gone(t):
    """After a clean end: a new one is made of what the server has."""
    a, b, said = talked(t, 5)
    ended(a)
    for damage in (lambda path: os.truncate(path, 0), os.remove):
        damage(database(a))
        equal(all_texts(again(a).login(), b.name), said, "the history")
        check("the database has gone" in log(a), "the log does not say that it has gone")
        ended(a)
    equal(aside(a), [], "files that were set aside")


def test_log_is_deleted(t):
    """A killed process's last changes are lost here; what the server knows of them comes again."""
    a, b, said = talked(t)
    a.kill()
    path = database(a)
    check(os.path.getsize(path + "-wal") > 0, "there is no log to delete")
    os.remove(path + "-wal")
    again(a).login()
    check("log has gone" in log(a), "the log does not say so")
    equal(all_texts(a, b.name), said, "the history")
    equal(a.unread(b.name), 1, "unread")


def test_log_of_another_database(t):
    a, b, said = talked(t, 5)
    other, _, _ = talked(t, 5, names=("carol", "dave"))
    ended(a)
    other.kill()
    shutil.copy(database(other) + "-wal", database(a) + "-wal")
    with open(database(a) + "-shm", "wb") as f:
        f.write(b"?" * 32768)
    again(a).login()
    check("set aside" in log(a), "the log does not say what was done")
    equal(all_texts(a, b.name, cloud=False), said, "the history, from the database")
    equal(len(a.conversations()), 1, "conversations")


def test_shared_memory_is_nothing_to_lose(t):
    a, b, said = talked(t, 5)
    for spoilt in (os.remove, lambda path: spoil(path, 0, 16384)):
        a.kill()
        spoilt(database(a) + "-shm")
        equal(all_texts(again(a).login(), b.name, cloud=False), said, "the history")
    equal(aside(a), [], "files that were set aside")


def test_damaged_and_encrypted(t):
    """The new database has the old key, and what was set aside can be read with it and not without."""
    a, b = t.client("alice").init(), t.user("bob")
    equal(encrypt(a, 4, KEY), 0, "setting the key")
    a.login().text(b.name, "ein Geheimnis")
    a.ok(LOCAL, "friend", C2C, [{"message_elem_array": [text_elem("ein Geheimnis, only here")], "message_sender": "friend"}])
    ended(a)
    path = database(a)
    spoil(path, 4096, 4096)  # the second page has no content: it says where the others belong
    with open(path + ".lock", "w") as f:
        f.write("damaged")  # as after an error
    again(a)
    refused(a, "key")
    equal(aside(a), [], "files that were set aside without the key")
    equal(encrypt(a, 4, KEY), 0, "setting the key")
    a.login()
    equal(len(aside(a)), 1, "files that were set aside")
    equal(a.texts(b.name), ["ein Geheimnis"], "the history")
    equal(a.texts("friend"), ["ein Geheimnis, only here"], "the local message")
    ended(a)
    equal(readable(a.folder), [], "what can be read")


def test_two_damaged_files_are_kept(t):
    a, b, said = talked(t, 3)
    for _ in range(4):
        ended(a)
        spoil(database(a), 0, 100)
        again(a).login()
    equal(len(aside(a)), 2, "files that were set aside")
    equal(all_texts(a, b.name), said, "the history")


def test_folder_that_cannot_be_written(t):
    a, b, said = talked(t, 3)
    folder, clean = a.folder, os.path.dirname(database(a))
    ended(a)
    a = held_to_permissions(lambda: t.client("alice", folder=folder))
    a.init()
    os.chmod(clean, 0o500)
    t.defer(lambda: os.chmod(clean, 0o700))
    for name in os.listdir(clean):
        os.chmod(os.path.join(clean, name), 0o400)
    refused(a, "cannot be written")
    other_user_is_fine(a, t.name("other"))
    a.logout()
    for name in os.listdir(clean):
        os.chmod(os.path.join(clean, name), 0o600)
    os.chmod(clean, 0o700)
    os.chmod(database_in(clean), 0o400)
    refused(a, "cannot be written")
    os.chmod(database_in(clean), 0o600)
    equal(a.login_again().code, 0, "the login when it can be written again")
    equal(all_texts(a, b.name, cloud=False), said, "the history")
    equal(aside(a), [], "files that were set aside")


def database_in(folder):
    return os.path.join(folder, "timbre.db")


def test_folder_is_a_file(t):
    a = t.client("alice")
    with open(os.path.join(a.folder, "data"), "w") as f:
        f.write("not a folder")
    a.init()
    refused(a, "cannot be written")
    os.remove(os.path.join(a.folder, "data"))
    equal(a.login_again().code, 0, "the login when the file has gone")


def test_database_is_a_folder(t):
    a = t.user("alice")
    ended(a)
    path = database(a)
    os.rename(path, path + ".away")
    os.mkdir(path)
    again(a)
    refused(a, "cannot be written")
    os.rmdir(path)
    os.rename(path + ".away", path)
    equal(a.login_again().code, 0, "the login when it is a file again")


def test_disk_is_full(t):
    """Sends are refused, nothing that was accepted is lost, and when there is room again everything goes on."""
    disk = SmallDisk(t, 12)
    a, b = t.user("alice", folder=disk.folder), t.user("bob")
    a.text(b.name, "before")
    disk.fill(a)
    refusals = 0
    for i in range(60):  # some may still find room in pages that are there
        r = a.send(b.name, [text_elem("full %d %s" % (i, "y" * 3000))]).wait()
        check(r.code in (0, 7010), "a send on a full disk got %r" % r)
        refusals += r.code == 7010
    check(refusals > 0, "no send was refused: the disk is not full")
    equal(r.code, 7010, "the last send (%s)" % r.desc)
    for i in range(3):
        b.text(a.name, "while full %d" % i)
    equal(a.status(), timbre.LOGINED, "the state")
    check(a.texts(b.name, 1, cloud=False) is not None, "the history cannot be read")
    disk.make_room(a)
    for i in range(3):
        a.incoming("while full %d" % i)
    a.text(b.name, "room again")
    b.incoming("room again")
    got = [x for x in all_texts(a, b.name) if not x.startswith("full")]
    equal(got, ["room again", "while full 2", "while full 1", "while full 0", "before"], "the history")
    equal(sorted(all_texts(b, a.name)), sorted(all_texts(a, b.name)), "what both have")
    again(a).login()
    equal(sorted(all_texts(a, b.name, cloud=False)), sorted(all_texts(b, a.name)), "what both have after a kill")
    texts = all_texts(b, a.name)
    equal(len(texts), len(set(texts)), "messages without doubles")
    equal(aside(a), [], "files that were set aside")


def test_login_on_a_full_disk(t):
    disk = SmallDisk(t, 12)
    if not disk.mounted:
        return  # a bound on file sizes is the process's, and the process is new
    a, b, said = talked(t, 5, folder=disk.folder)
    a.kill()
    disk.fill(a)
    again(a)
    r = a.login_again()
    if r.code == 0:  # what is there may be room enough
        equal(all_texts(a, b.name, cloud=False), said, "the history")
    else:
        check(r.code == 7010 and "disk" in r.desc, "the login got %r" % r)
    disk.make_room(a)
    equal(a.login_again().code, 0, "the login when there is room")
    a.text(b.name, "room again")
    equal(all_texts(a, b.name), ["room again"] + said, "the history")
    equal(aside(a), [], "files that were set aside")
