"""TIMExtGetLoginDeviceList."""
import time

from timbre import equal, check
from test_login import KICKED


def devices(client):
    list_ = client.ok("TIMExtGetLoginDeviceList").json["ext_login_device_array"]
    for d in list_:
        equal(sorted(d), ["ext_device_id", "ext_device_is_kicked", "ext_device_is_login", "ext_device_is_online", "ext_device_is_self",
                          "ext_device_login_time", "ext_device_platform"], "keys of a device")
        check(abs(d["ext_device_login_time"] - time.time()) < 300, "time of the login %r" % d["ext_device_login_time"])
    return list_


def flags(d):
    return tuple(d["ext_device_is_" + k] for k in ("online", "login", "kicked", "self"))


def test_devices(t):
    t.own_server(devices="all")
    one = t.user("alice")
    only = devices(one)
    equal([(flags(d), d["ext_device_platform"]) for d in only], [((True, True, False, True), "linux")], "the first device")
    two = t.user("alice")
    equal([flags(d) for d in devices(two)], [(True, True, False, True), (True, True, False, False)], "seen by the second")
    equal([flags(d) for d in devices(one)], [(True, True, False, False), (True, True, False, True)], "seen by the first")
    equal(len({d["ext_device_id"] for d in devices(one)}), 2, "different ids")
    two.logout()
    equal([flags(d) for d in devices(one)], [(False, False, False, False), (True, True, False, True)], "after the second's logout")
    equal(two.ask("TIMExtGetLoginDeviceList").code, 6014, "the second asks")
    two.login()
    equal(len(devices(two)), 2, "devices after the second came back")


def test_kicked_device(t):
    one = t.user("alice")
    two = t.user("alice")
    one.event(KICKED)
    equal([flags(d) for d in devices(two)], [(True, True, False, True), (False, False, True, False)], "after the kick")


def test_states(t):
    a = t.client("alice")
    equal(a.ask("TIMExtGetLoginDeviceList").code, 6013, "before TIMInit")
    a.init()
    equal(a.ask("TIMExtGetLoginDeviceList").code, 6014, "before the login")
    equal(a.call("TIMExtNotifyNetworkChanged").rc, 0, "TIMExtNotifyNetworkChanged")
