"""Images, sounds, videos and other files: what is sent, what arrives, and what of it another device can fetch."""
import os
import struct
import zlib

import files
from files import element
from talks import talks
from timbre import FAILED, SENT, check, equal, text_elem, text_of

PROGRESS = "TIMSetMsgElemUploadProgressCallback"
JPG, GIF, PNG, BMP, UNKNOWN = 1, 2, 3, 4, 255


def sides(e, version):
    return tuple(e["image_elem_%s_pic_%s" % (version, k)] for k in ("width", "height"))


def fetched(user, folder, e, key):
    path = os.path.join(folder, e[key])
    user.download(e[key], path)
    return files.read(path)


def shape(data):
    """(format, width, height) of an image."""
    if data[:3] == b"GIF":
        return (GIF,) + struct.unpack("<HH", data[6:10])
    if data[:2] == b"BM":
        return (BMP,) + struct.unpack("<ii", data[18:26])
    if data[:4] == b"\x89PNG":
        return (PNG,) + struct.unpack(">II", data[16:24])
    equal(data[:2], b"\xff\xd8", "the beginning of a JPEG")
    at = 2
    while data[at + 1] not in (0xc0, 0xc2):
        at += 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    height, width = struct.unpack(">HH", data[at + 5:at + 9])
    return JPG, width, height


def test_image_levels(t):
    """0 is the file itself, 1 at most 1920 pixels, 2 a better JPEG; the other versions have shorter sides of 720 and 198."""
    a, b = t.users("alice", "bob")
    folder = t.folder()
    path = files.write(folder, "wide.png", files.png(2100, 800))
    calls = [a.send(b.name, [files.image(path, level)]) for level in (0, 1, 2)]
    sent = [element(c.wait(code=0).json) for c in calls]
    want = [(PNG, 2100, 800), (JPG, 1920, 731), (JPG, 2100, 800)]
    for level, e in enumerate(sent):
        got = element(b.incoming(lambda m: element(m).get("image_elem_orig_id") == e["image_elem_orig_id"]))
        equal((got["image_elem_level"], got["image_elem_format"]), (level, want[level][0]), "level and format")
        equal((got["image_elem_orig_path"], e["image_elem_orig_path"]), ("", path), "the path there and here")
        for version in ("orig", "large", "thumb"):
            data = fetched(b, folder, got, "image_elem_%s_id" % version)
            expected = want[level] if version == "orig" else (JPG,) + sides(got, version)
            equal(shape(data), expected, "the %s of level %d" % (version, level))
            equal((sides(got, version), got["image_elem_%s_pic_size" % version]), (expected[1:], len(data)), "what is said of it")
            check(got["image_elem_%s_url" % version].startswith("http"), "no URL of the " + version)
        equal([min(sides(got, v)) for v in ("large", "thumb")], [720, 198], "the shorter sides")
        if level == 0:
            equal(fetched(b, folder, got, "image_elem_orig_id") == files.read(path), True, "the original is what was sent")


def test_image_formats(t):
    """A GIF always stays, a BMP becomes a JPEG, a JPEG goes on as one; a small image has one version."""
    a, b = t.users("alice", "bob")
    folder = t.folder()
    cases = [("x.gif", files.gif(90, 60), (GIF, 90, 60)), ("x.bmp", files.bmp(90, 60), (JPG, 90, 60))]
    for name, data, want in cases:
        e = element(a.sent(b.name, [files.image(files.write(folder, name, data))]))
        jpeg = fetched(b, folder, e, "image_elem_orig_id")
        equal((shape(jpeg), e["image_elem_format"]), (want, want[0]), name)
        equal([e["image_elem_%s_id" % v] for v in ("large", "thumb")], [e["image_elem_orig_id"]] * 2, "the versions of " + name)
    again = files.write(folder, "again.jpg", jpeg)
    for level in (0, 1):
        data = fetched(b, folder, element(a.sent(b.name, [files.image(again, level)])), "image_elem_orig_id")
        equal(shape(data), (JPG, 90, 60), "a JPEG at level %d" % level)
        check(len(data) <= len(jpeg) and (level == 1 or data == jpeg), "a JPEG at level %d was changed for the worse" % level)


def test_unreadable_image(t):
    """What cannot be read as an image goes as it is, in one size."""
    a, b = t.users("alice", "bob")
    folder = t.folder()
    for name, data in (("noise.jpg", files.noise(5000)), ("torn.png", files.png(300, 300)[:2000])):
        a.sent(b.name, [files.image(files.write(folder, name, data))])
        got = element(b.incoming(lambda m: element(m).get("image_elem_orig_pic_size") == len(data)))
        equal({got["image_elem_%s_id" % v] for v in ("large", "thumb")}, {got["image_elem_orig_id"]}, "its versions")
        equal(sides(got, "orig"), (0, 0), "its sides")
        equal(got["image_elem_format"], UNKNOWN if name == "noise.jpg" else PNG, "its format")
        equal(fetched(b, folder, got, "image_elem_thumb_id"), data, "what arrives")


@talks()
def test_sound_video_file(t, talk):
    """They reach the peer and both other devices whole, and a device that comes later fetches them by their ids."""
    folder = t.folder()
    data = {n: files.noise(s, s) for n, s in (("a.aac", 3000), ("v.mp4", 70000), ("c.png", 900), ("doc \u6587.txt", 5000))}
    path = {n: files.write(folder, n, d) for n, d in data.items()}
    cases = [(files.sound(path["a.aac"]), {"sound_elem_file": "a.aac"}),
             (files.video(path["v.mp4"], path["c.png"]), {"video_elem_video": "v.mp4", "video_elem_image": "c.png"}),
             (files.file(path["doc \u6587.txt"]), {"file_elem_file": "doc \u6587.txt"})]
    for e, _ in cases:
        m = talk.a.send([e]).wait(code=0).json
        for side in talk.all[1:]:
            side.client.incoming(lambda x: x["message_msg_id"] == m["message_msg_id"])
    fresh = talk.fresh(talk.b)
    newest = [[element(m) for m in side.history(3)][::-1] for side in (talk.a, talk.a2, talk.b, fresh)]
    for here, *others in zip(*newest):
        want = {k: v for k, v in here.items() if not k.endswith("_path")}
        for there in others:
            equal({k: v for k, v in there.items() if not k.endswith("_path")}, want, "the element elsewhere")
            equal({v for k, v in there.items() if k.endswith("_path")}, {""}, "paths elsewhere")
    for (e, parts), got in zip(cases, newest[-1]):
        equal({k: got[k] for k in e if not k.endswith("_path")}, {k: v for k, v in e.items() if not k.endswith("_path")}, "given keys")
        for prefix, name in parts.items():
            equal(got[prefix + "_size"], len(data[name]), "the size of " + name)
            equal(fetched(fresh.client, folder, got, prefix + "_id"), data[name], "the bytes of " + name)
        equal(got["ext_elem_crc32"], zlib.crc32(data[list(parts.values())[0]]), "the checksum")
    equal(newest[-1][2]["file_elem_file_name"], "doc \u6587.txt", "the name of the file")


def test_progress(t):
    """Each element tells how far it is, of all its files together, and the end of it before the send's callback."""
    a, b = t.users("alice", "bob")
    folder = t.folder()
    film = files.write(folder, "v.mp4", files.noise(6 << 20))
    cover = files.write(folder, "c.png", files.png(20, 10))
    call = a.send(b.name, [files.video(film, cover)])
    m = call.wait(code=0).json
    names = [e.name for e in a.events()]
    events = a.events(PROGRESS)
    equal({(e.json()["message_msg_id"], e.args[1]) for e in events}, {(m["message_msg_id"], 0)}, "message and element")
    total = os.path.getsize(film) + os.path.getsize(cover)
    equal({e.args[3] for e in events}, {total}, "the total")
    steps = [e.args[2] for e in events]
    equal((steps, steps[-1]), (sorted(steps), total), "the steps")
    check(len(names) - 1 - names[::-1].index(PROGRESS) < names.index("cb of TIMMsgSendMessage"), "progress after the end")


def test_files_that_cannot_be_sent(t):
    a = t.user("alice")
    folder = t.folder()
    large, empty = files.write(folder, "large.bin", b""), files.write(folder, "empty.bin", b"")
    os.truncate(large, (100 << 20) + 1)
    picture = files.write(folder, "large.png", b"")
    os.truncate(picture, (28 << 20) + 1)
    good = files.write(folder, "good.bin", b"x")
    for online in (False, True):
        for e, code in ((files.file(folder + "/none"), 7004), (files.file(large), 7005), (files.file(empty), 7006),
                        (files.file(folder), 7007), (files.image(picture), 7005), (files.sound(folder + "/none"), 7004),
                        (files.video(good, empty), 7006), (files.file(""), 7004)):
            r = a.send(a.name, [e], message_is_online_msg=online).wait(code=code)
            equal((r.json["message_status"], element(r.json)["elem_type"]), (FAILED, e["elem_type"]), "the failed message")
    equal(a.events(PROGRESS), [], "progress of what never began")


def test_no_file_is_sent_twice(t):
    """The server has the content: the same file again, from anybody and by any name, carries no bytes."""
    from relays import Gate
    server = t.own_server()
    gate = Gate(("127.0.0.1", server.port))
    t.defer(gate.close)
    a, b = (t.client(n, url=gate.url).start() for n in ("alice", "bob"))
    folder = t.folder()
    data = files.noise(3 << 20)
    first = element(a.sent(b.name, [files.file(files.write(folder, "one.bin", data))]))
    check(gate.release()[0] > len(data), "the file did not pass")
    second = element(b.sent(a.name, [files.file(files.write(folder, "two.bin", data))]))
    check(gate.release()[0] < 10000, "the file passed again")
    equal(first["file_elem_file_id"], second["file_elem_file_id"], "the id")
    equal((first["file_elem_file_name"], second["file_elem_file_name"]), ("one.bin", "two.bin"), "the names")


@talks()
def test_forward(t, talk):
    """A received element goes on by its ids, without a path and without an upload, as a message of its own."""
    m = talk.a.send([files.file(files.write(t.folder(), "x.bin", files.noise(5000)))]).wait(code=0).json
    got = talk.b.client.incoming(lambda x: x["message_msg_id"] == m["message_msg_id"])
    carol = t.user("carol")
    forwarded = talk.b.client.ask("TIMMsgSendMessage", carol.name, 1, dict(got, message_is_forward_message=True))
    equal(forwarded.code, 0, "forwarding (%s)" % forwarded.desc)
    there = carol.incoming(lambda x: element(x)["elem_type"] == 4)
    own = talk.a.client.ask("TIMMsgSendMessage", talk.a.peer, talk.kind, dict(m, message_is_forward_message=True))
    check(own.json["message_msg_id"] != m["message_msg_id"], "an own message that is forwarded keeps its id")
    talk.b.client.incoming(lambda x: x["message_msg_id"] == own.json["message_msg_id"])
    check(there["message_msg_id"] != m["message_msg_id"], "the id of the forwarded message is the first one's")
    equal((element(there), there["message_is_forward_message"]), (element(got), True), "the forwarded message")
    equal(talk.b.client.events(PROGRESS), [], "uploads")
    equal(talk.b.found(got)["message_sender"], talk.a.name, "the message that was forwarded")
    path = os.path.join(t.folder(), "x")
    carol.download(element(there)["file_elem_file_id"], path)
    equal(os.path.getsize(path), 5000, "the size of what carol fetched")


@talks()
def test_composition(t, talk):
    """Any element begins a message; only texts, custom data, faces and locations follow."""
    folder = t.folder()
    picture = files.image(files.write(folder, "x.png", files.png(10, 10)))
    film = files.video(files.write(folder, "v.mp4", b"film"), picture["image_elem_orig_path"])
    texts = [text_elem("one"), text_elem("two")]
    others = [{"elem_type": 3, "custom_elem_data": "d"}, {"elem_type": 6, "face_elem_index": 1},
              {"elem_type": 7, "location_elem_desc": "here", "ext_location_elem_scale": 15.5}]
    for elements in ([picture] + texts, [film] + texts[:1] + others, others + texts):
        m = talk.a.send(elements).wait(code=0).json
        got = talk.b.client.incoming(lambda x: x["message_msg_id"] == m["message_msg_id"])
        equal([e["elem_type"] for e in got["message_elem_array"]], [e["elem_type"] for e in elements], "the elements there")
        equal(got["message_status"], SENT, "the status")
    equal(got["message_elem_array"][2]["ext_location_elem_scale"], 15.5, "the scale of a map")
    for elements in (texts[:1] + [picture], [picture, picture], others + [film], [picture, film]):
        r = talk.a.send(elements).wait(code=6016)
        equal((r.json["message_status"], len(r.json["message_elem_array"])), (FAILED, len(elements)), "the refused message")
    talk.a.text("after")
    talk.b.client.incoming("after")
    check("one" not in [text_of(m) for m in talk.b.history(1)], "a refused message arrived")
