"""internal_operation_set_ignore_repeat_login, internal_operation_set_env."""
from test_login import login, silent_port
from timbre import LOGINED, UNLOGINED, equal, sig


def ignore(a, on=True):
    equal(a.experiment("set_ignore_repeat_login", request_set_ignore_repeat_login_param=on).code, 0, "set_ignore_repeat_login")


def test_shares_the_outcome(t):
    a = t.client("alice")
    ignore(a)
    a.init()
    calls = [login(a, a.name, sig(a.name)) for _ in range(5)]
    for c in calls:
        c.wait(code=0)
    equal(a.status(), LOGINED, "state")
    equal([len(c.callbacks) for c in calls], [1] * 5, "callbacks of the calls")
    equal(a.login_again().code, 0, "once more")


def test_shares_failure_and_logout(t):
    a = t.client("alice", url=silent_port(t))
    ignore(a)
    a.init()
    first, second = login(a, a.name, sig(a.name)), login(a, a.name, sig(a.name))
    login(a, "somebody", sig("somebody")).wait(code=7501)
    equal(first.callbacks + second.callbacks, [], "callbacks while the login runs")
    a.ok("TIMLogout")
    first.wait(code=6023)
    second.wait(code=6023)
    third, fourth = login(a, a.name, sig(a.name)), login(a, a.name, sig(a.name))
    equal(a.call("TIMUninit").rc, 0, "TIMUninit")
    third.wait(code=7009)
    fourth.wait(code=7009)


def test_can_be_switched_off(t):
    a = t.client("alice", url=silent_port(t))
    ignore(a)
    ignore(a, False)
    a.init()
    first = login(a, a.name, sig(a.name))
    login(a, a.name, sig(a.name)).wait(code=7501)
    equal(first.callbacks, [], "callbacks of the first login")
    equal(a.experiment("set_ignore_repeat_login", request_set_ignore_repeat_login_param="yes").code, 6017, "a parameter that is no bool")
    equal(a.experiment("set_ignore_repeat_login").code, 6017, "no parameter")


def test_environment_changes_nothing(t):
    a = t.client("alice")
    for on in (True, False):
        r = a.experiment("set_env", request_set_env_param=on)
        equal((r.code, r.json["response_set_env_res"]), (0, on), "set_env")
    equal(a.experiment("set_env", request_set_env_param=3).code, 6017, "set_env with a number")
    a.start()
    equal(a.status(), LOGINED, "state")
    a.logout()
    equal(a.status(), UNLOGINED, "state")
