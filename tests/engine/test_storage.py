"""The database: none at all, two processes, other users, restarts."""
import os
import subprocess

import timbre
from timbre import C2C, check, equal, sig, text_elem, text_of


def files(folder):
    return [os.path.join(d, f) for d, _, names in os.walk(folder) for f in names]


def without_storage(t, base, **options):
    c = t.client(base, **options)
    c.ok("TIMSetConfig", {"set_config_user_config": {"user_config_is_is_disable_storage": True}})
    return c


def test_disable_storage(t):
    """Everything works, nothing is on disk."""
    a, b = without_storage(t, "alice").start(), without_storage(t, "bob").start()
    for c in [a.send(b.name, [text_elem("m%d" % i)]) for i in range(30)]:
        c.wait(code=0)
    b.incoming_count(30)
    want = ["m%d" % i for i in range(29, -1, -1)]
    equal(a.texts(b.name, 50), want, "the sender's history")
    equal(b.texts(a.name, 50, cloud=False), want, "the receiver's local history")
    equal((b.unread(a.name), b.total()), (30, 30), "unread")
    b.ok("TIMMsgReportReaded", a.name, timbre.C2C, None)
    a.event("TIMSetMsgReadedReceiptCallback")
    equal(b.total(), 0, "total")
    equal([f for f in files(os.path.join(a.folder, "data"))], [], "files in the data folder")
    b.logout().login()
    equal(b.texts(a.name, 50), want, "history from the server after a new login")
    equal([f for f in files(os.path.join(b.folder, "data"))], [], "files in the data folder")


def test_disable_storage_searches_and_waits(t):
    """The search index and the outbox live as long as the process does."""
    server = t.own_server()
    a, b = without_storage(t, "alice").start(), t.user("bob")
    a.packet_timeout(60)
    a.text(b.name, "a needle here")
    found = a.ok("TIMMsgSearchLocalMessages", {"msg_search_param_keyword_array": ["needle"]}).json
    equal(found["msg_search_result_total_count"], 1, "found here")
    server.stop()
    a.network(timbre.DISCONNECTED)
    waiting = [a.send(b.name, [text_elem("waited %d" % i)]) for i in range(5)]
    equal(a.texts(b.name, 3, cloud=False), ["waited 4", "waited 3", "waited 2"], "the history while they wait")
    server.start()
    for c in waiting:
        c.wait(code=0)
    for i in range(5):
        b.incoming("waited %d" % i)
    r = a.ok("TIMExtTrimStorage", {"ext_trim_max_bytes": 1}).json
    equal(r["ext_trim_deleted_messages"], 5, "messages that were trimmed")
    equal(a.texts(b.name, 20), ["waited %d" % i for i in range(4, -1, -1)] + ["a needle here"], "the history from the server")
    equal(files(os.path.join(a.folder, "data")), [], "files in the data folder")


def test_disable_storage_two_of_a_user(t):
    """Without storage two processes of one user are two devices; the second takes the place of the first."""
    one = without_storage(t, "alice").start()
    two = without_storage(t, "alice").start()
    one.event("TIMSetKickedOfflineCallback")
    two.text(two.name, "x")


def test_second_process_with_the_same_folder(t):
    folder = t.folder()
    one = t.user("alice", folder=folder)
    two = t.client("alice", folder=folder).init()
    r = two.login_again()
    check(r.code == 7010 and "process" in r.desc, "the second process got %r" % r)
    equal((two.status(), two.user()), (timbre.UNLOGINED, ""), "its state")
    equal(one.status(), timbre.LOGINED, "the first one's state")
    one.text(one.name, "still works")
    other = t.name("other")
    equal(two.ask("TIMLogin", other, sig(other)).code, 0, "another user in the same folder")
    one.kill()
    two.logout()
    equal(two.login_again().code, 0, "the same user after the first process has died")


def test_users_keep_their_data_apart(t):
    a, b = t.users("alice", "bob")
    a.text(b.name, "alice's")
    other = t.name("other")
    equal(a.ask("TIMLogin", other, sig(other)).code, 0, "login of another user")
    equal((a.conversations(), a.history(b.name)), ([], []), "the other user's lists")
    equal(a.login_again().code, 0, "login of the first user again")
    equal(a.texts(b.name, cloud=False), ["alice's"], "the first user's history")


def test_init_local_storage(t):
    """The user's database opens without a login."""
    server = t.own_server()
    folder = t.folder()
    a, b = t.user("alice", folder=folder), t.user("bob")
    a.text(b.name, "kept")
    a.close()
    server.stop()
    again = t.client("alice", folder=folder)
    equal(again.experiment("init_local_storage", request_init_local_storage_user_id_param=again.name).code, 6013, "before TIMInit")
    again.init()
    equal(again.ask("TIMConvGetConvList").code, 6014, "the list without a user")
    equal(again.experiment("init_local_storage", request_init_local_storage_user_id_param=again.name).code, 0, "init_local_storage")
    equal([c["conv_id"] for c in again.conversations()], [b.name], "the list from the cache")
    equal(again.texts(b.name), ["kept"], "the history from the cache")
    equal((again.status(), again.user()), (timbre.UNLOGINED, ""), "state")


def test_newer_database_is_refused(t):
    """A file of a newer release is left alone and the login says so."""
    import sqlite3
    folder = t.folder()
    a = t.user("alice", folder=folder)
    a.logout()
    a.close()
    path = next(f for f in files(os.path.join(folder, "data")) if f.endswith("timbre.db"))
    db = sqlite3.connect(path)
    db.execute("UPDATE schema_version SET version=999 WHERE module='message'")
    db.commit()
    db.close()
    again = t.client("alice", folder=folder).init()
    r = again.login_again()
    check(r.code == 7010 and "newer" in r.desc, "a newer database got %r" % r)
    db = sqlite3.connect(path)
    equal(db.execute("SELECT version FROM schema_version WHERE module='message'").fetchone(), (999,), "the version")
    equal(db.execute("PRAGMA integrity_check").fetchone(), ("ok",), "integrity_check")
    db.close()


def test_server_lost_its_data(t):
    """Another epoch: the server begins anew. Nothing hangs, local messages stay, new ones arrive."""
    server = t.own_server()
    a, b = t.users("alice", "bob")
    for i in range(5):
        a.text(b.name, "old %d" % i)
    b.incoming("old 4")
    server.stop()
    after_a, after_b = a.mark(), b.mark()
    import shutil
    shutil.rmtree(os.path.join(server.folder, "data"))
    server.start()
    a.finished(after=after_a)
    b.finished(after=after_b)
    a.text(b.name, "new")
    b.incoming("new")
    equal(b.texts(a.name, 50), ["new"] + ["old %d" % i for i in range(4, -1, -1)], "the receiver's history")
    equal(a.texts(b.name, 50), ["new"] + ["old %d" % i for i in range(4, -1, -1)], "the sender's history")
    equal(b.unread(a.name), 1, "unread")


def test_changes_of_messages_that_lost_their_numbers(t):
    """After a backup was restored: a device that has not looked at a history since loses what another one deletes there, and
    hears of what is revoked and edited."""
    server = t.own_server(devices="all", options=["--sync-deletions"])
    a, second, b = t.users("alice", "alice", "bob")
    for i in range(5):
        b.text(a.name, "m%d" % i)
    for device in a, second:
        device.incoming("m4")
    a.ok("TIMMsgReportReaded", b.name, C2C, None)  # what is unread comes with the snapshot
    second.conv_event(timbre.UPDATE, b.name, lambda c: c["conv_unread_num"] == 0)
    server.stop()
    subprocess.run([timbre.TIMBRED, "renew-epoch", "--data", os.path.join(server.folder, "data")], check=True, capture_output=True)
    marks = {c: c.mark() for c in (a, second, b)}
    server.start()
    for c, at in marks.items():
        c.finished(at)
    mine, theirs = a.history(b.name), b.history(a.name)
    marks = {c: c.mark() for c in (a, second)}
    a.ok("TIMMsgListDelete", b.name, C2C, [mine[4], mine[3]])
    b.ok("TIMMsgRevoke", a.name, C2C, theirs[2])
    for device, at in marks.items():
        device.event("TIMSetMsgRevokeCallback", after=at)
        for cloud in False, True:
            got = device.history(b.name, cloud=cloud)
            equal(([text_of(m) for m in got[:2]], got[2]["message_status"], len(got)), (["m4", "m3"], 6, 3), "the history, cloud %s" % cloud)
