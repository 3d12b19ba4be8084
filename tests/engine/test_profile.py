"""Profiles and the experimental interface."""
import timbre
from timbre import check, equal


def test_profiles(t):
    a, b = t.users("alice", "bob")
    ids = {"friendship_getprofilelist_param_identifier_array": [a.name, b.name]}
    got = a.ok("TIMProfileGetUserProfileList", ids).json
    equal([p["user_profile_identifier"] for p in got], [a.name, b.name], "users in the answer")
    for key in ("user_profile_nick_name", "user_profile_face_url", "user_profile_self_signature", "user_profile_location"):
        equal([p[key] for p in got], ["", ""], key)
    unknown = dict(ids, friendship_getprofilelist_param_identifier_array=[b.name, "nobody"])
    equal([p["user_profile_identifier"] for p in a.ok("TIMProfileGetUserProfileList", unknown).json], [b.name], "unknown users")
    equal(a.ask("TIMProfileGetUserProfileList", {"friendship_getprofilelist_param_identifier_array": []}).code, 6017, "nobody")
    many = {"friendship_getprofilelist_param_identifier_array": ["u%d" % i for i in range(101)]}
    equal(a.ask("TIMProfileGetUserProfileList", many).code, 6017, "101 users")
    a.logout()
    equal(a.ask("TIMProfileGetUserProfileList", ids).code, 6014, "without a user")


def test_tiny_ids_and_back(t):
    a, b = t.users("alice", "bob")
    got = a.experiment("userid_tinyid", request_userid_tinyid_param=[a.name, b.name]).json["response_userid_tinyid_res"]
    equal([u["user_info_userid"] for u in got], [a.name, b.name], "users")
    tiny = [u["user_info_tinyid"] for u in got]
    check(all(isinstance(n, int) and 0 < n < 2**53 for n in tiny) and tiny[0] != tiny[1], "numbers %r" % tiny)
    back = b.experiment("tinyid_userid", request_tinyid_userid_param=tiny[::-1]).json["response_tinyid_userid_res"]
    equal({(u["user_info_userid"], u["user_info_tinyid"]) for u in back}, {(b.name, tiny[1]), (a.name, tiny[0])}, "and back")
    equal(a.experiment("userid_tinyid", request_userid_tinyid_param=[]).code, 6017, "nobody")
    a.logout()
    equal(a.experiment("userid_tinyid", request_userid_tinyid_param=[b.name]).code, 6014, "without a user")


def test_small_operations(t):
    a = t.client("alice")
    for when in ("before TIMInit", "after TIMInit", "when logged in"):
        equal(a.experiment("set_ui_platform", request_set_ui_platform_param="unity").code, 0, "set_ui_platform " + when)
        equal(a.begin("callExperimentalAPI", {"request_internal_operation": "internal_operation_set_ui_platform",
                                              "request_set_ui_platform_param": "x"}, without=["cb"]).rc, 0, "with a NULL callback " + when)
        equal(a.experiment("set_max_retry_count", request_set_max_retry_count_param=3).code, 0, "set_max_retry_count " + when)
        equal(a.experiment("set_packet_request_timeout", request_set_packet_request_timeout_param=20).code, 0,
              "set_packet_request_timeout " + when)
        if when == "before TIMInit":
            a.init()
        elif when == "after TIMInit":
            a.login()
    r = a.experiment("is_commercial_ability_enabled", request_is_commercial_ability_enabled_param=1)
    equal((r.code, r.json.get("commercial_ability_result_enabled")), (0, True), "is_commercial_ability_enabled")
    equal(a.call("callExperimentalAPI", {"request_internal_operation": "internal_operation_nonsense"}).rc, -3, "an unknown operation")
    equal(a.call("callExperimentalAPI", {}).rc, -3, "no operation")
    equal(a.experiment("sso_data", request_sso_data_param={}).code, 7013, "an operation that is not built")


def test_not_built_functions_answer_7013(t):
    a = t.user("alice")
    r = a.ask("TIMGetUserStatus", [a.name])
    equal(r.code, 7013, "a function of a later module")


def test_retry_count_zero(t):
    """With no retries a send whose connection broke is not written again."""
    import relays
    server = t.own_server()
    relay = relays.Relay(("127.0.0.1", server.port))
    t.defer(relay.close)
    a, b = t.user("alice", url=relay.url), t.user("bob")
    equal(a.experiment("set_max_retry_count", request_set_max_retry_count_param=0).code, 0, "set_max_retry_count")
    relay.answers.clear()
    call = a.send(b.name, [timbre.text_elem("once")])
    b.incoming("once")
    relay.cut()
    relay.answers.set()
    equal(call.wait().code, 9520, "the send whose answer was lost")
    a.event("TIMSetMsgUpdateCallback", lambda e: e.json()[0]["message_status"] == timbre.SENT)
    equal([m["message_status"] for m in a.history(b.name)], [timbre.SENT], "its status when the log told of it")
