"""Settings, logs and folders."""
import os
import re
import time

import timbre
from timbre import check, equal, text_elem

LEVELS = {"off": 0, "test": 1, "verbose": 2, "debug": 3, "info": 4, "warn": 5, "error": 6, "assert": 7}
SECRET_TEXT = "a body that no log may have"


def today():
    return "imsdk_%s.log" % time.strftime("%Y%m%d")


def before_midnight():
    """Not in the last seconds of a day, in which a log goes on in another file."""
    while time.strftime("%H:%M") == "23:59":
        time.sleep(1)  # the clock is what is waited for


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def test_set_config_echoes(t):
    a = t.client("alice")
    for text in ('{"set_config_log_level":3}', '{}', '{ "set_config_is_log_output_console" : false,\n"x":"\u4e2d" }',
                 '{"set_config_user_config":{"user_config_is_disable_storage":false}}'):
        for _ in range(2):
            r = a.begin("TIMSetConfig", text).wait(code=0)
            equal(r.text, text, "the echo")
    equal(a.call("TIMSetConfig", "{", without=["cb"]).rc, -3, "broken JSON")
    equal(a.call("TIMSetConfig", None).rc, -4, "no text")
    equal(a.call("TIMSetConfig", "{}", without=["cb"]).rc, 0, "without a callback")
    a.start()
    equal(a.ok("TIMSetConfig", '{"a":1}').text, '{"a":1}', "the echo when logged in")


def test_log_file_and_folders(t):
    before_midnight()
    a, b = t.users("alice", "bob")
    a.text(b.name, SECRET_TEXT)
    b.incoming(SECRET_TEXT)
    equal(sorted(os.listdir(os.path.join(a.folder, "log"))), [today()], "files in the log folder")
    text = read(os.path.join(a.folder, "log", today()))
    check("TIMInit" in text and a.name in text, "the log tells of TIMInit and of the login: %r" % text[:500])
    for c in (a, b):
        text = read(os.path.join(c.folder, "log", today()))
        check(SECRET_TEXT not in text, "the log holds a message's body")
        check(timbre.sig(c.name)[:20] not in text, "the log holds a ticket")
    data = os.path.join(a.folder, "data", "%d_%s" % (timbre.APP, a.name.encode().hex()))
    check(os.path.exists(os.path.join(data, "timbre.db")), "no database in %s: %r" % (data, os.listdir(a.folder)))
    equal(os.stat(data).st_mode & 0o077, 0, "the data folder is open to others")


def test_default_folders(t):
    """NULL or "" in TIMInit means all defaults: timbre_log/ and timbre_data/ below the current folder."""
    before_midnight()
    for config in (None, "", "{}"):
        where = t.folder()
        a = t.client("alice", cwd=where)
        equal(a.call("TIMInit", timbre.APP, config).rc, 0, "TIMInit with %r" % config)
        a.login()
        check(os.path.exists(os.path.join(where, "timbre_log", today())), "the default log with %r: %r" % (config, os.listdir(where)))
        check(os.path.isdir(os.path.join(where, "timbre_data", "%d_%s" % (timbre.APP, a.name.encode().hex()))),
              "the default data folder with %r" % config)
        a.close()


def test_log_levels(t):
    before_midnight()
    a = t.client("alice")
    a.ok("TIMSetConfig", {"set_config_log_level": LEVELS["off"]})
    a.start()
    path = os.path.join(a.folder, "log", today())
    check(not os.path.exists(path) or not read(path), "a log that is off has lines")
    a.ok("TIMSetConfig", {"set_config_log_level": LEVELS["debug"]})

    def write(level, content):
        equal(a.experiment("write_log", request_write_log_log_level_param=level, request_write_log_log_content_param=content,
                           request_write_log_file_name_param="app.c", request_write_log_func_name_param="main",
                           request_write_log_line_number_param=42).code, 0, "write_log")
    write(LEVELS["info"], "seen one")
    a.ok("TIMSetConfig", {"set_config_log_level": LEVELS["error"]})
    write(LEVELS["info"], "not to be seen")
    write(LEVELS["error"], "seen two")
    text = read(path)
    check("seen one" in text and "seen two" in text, "lines of write_log: %r" % text[-500:])
    check("not to be seen" not in text, "a line below the level")
    line = next(l for l in text.splitlines() if "seen two" in l)
    check("app.c" in line and "42" in line and "main" in line, "where it came from: %r" % line)
    check(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line), "its time: %r" % line)


def test_log_callback(t):
    a = t.client("alice")
    a.listen("TIMSetLogCallback")
    a.ok("TIMSetConfig", {"set_config_callback_log_level": LEVELS["info"]})
    a.start()
    e = a.event("TIMSetLogCallback", lambda e: "logged in" in e.args[1] and a.name in e.args[1])
    check(LEVELS["info"] <= e.args[0] <= LEVELS["assert"], "the level %r" % e.args[0])
    a.ok("TIMSetConfig", {"set_config_callback_log_level": LEVELS["off"]})
    a.ok("TIMSetConfig", {})
    after = a.mark()
    a.text(a.name, "x")
    equal(a.events("TIMSetLogCallback", after), [], "lines after the level was set to off")


def test_console(t):
    a = t.client("alice")
    a.ok("TIMSetConfig", {"set_config_is_log_output_console": True})
    a.start()
    a.ok("TIMSetConfig", {"set_config_is_log_output_console": False})
    a.errors.flush()
    check("logged in" in read(os.path.join(a.folder, "stderr")), "the console has the log")


def test_server_time_and_version(t):
    a = t.client("alice")
    check(re.match(r"8\.0\.\d+", a.call("TIMGetSDKVersion").rc), "version %r" % a.call("TIMGetSDKVersion").rc)
    equal(a.call("TIMGetServerTime").rc, 0, "server time before TIMInit")
    a.start()
    check(abs(a.call("TIMGetServerTime").rc - time.time()) < 60, "server time %r" % a.call("TIMGetServerTime").rc)


def test_second_init(t):
    a = t.user("alice")
    equal(a.call("TIMInit", timbre.APP, "{}").rc, 0, "a second TIMInit")
    equal((a.status(), a.user()), (timbre.LOGINED, a.name), "state afterwards")
    equal(a.call("TIMUninit").rc, 0, "TIMUninit")
    equal(a.call("TIMUninit").rc, 0, "a second TIMUninit")


def test_init_with_broken_json(t):
    a = t.client("alice")
    check(a.call("TIMInit", timbre.APP, "{").rc in (-3, 0), "TIMInit with broken JSON")


def test_unusable_folders(t):
    """A data folder that cannot be made: the login fails with a database code, nothing hangs."""
    a = t.client("alice")
    file = os.path.join(a.folder, "file")
    open(file, "w").close()
    a.init(sdk_config_config_file_path=os.path.join(file, "data"), sdk_config_log_file_path=os.path.join(file, "log"))
    r = a.login_again()
    check(r.code == 7010, "login without a data folder got %r" % r)
    equal(a.status(), timbre.UNLOGINED, "state")
