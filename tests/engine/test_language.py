"""Translation and voice to text: refused without a backend; with the example of one, what it answers."""
import os
import subprocess

import files
from files import element
from timbre import ROOT, check, equal


def translate(user, texts, source, target):
    return user.ask("TIMMsgTranslateText", texts, source, target)


def test_without_a_backend(t):
    a = t.user("alice")
    r = translate(a, ["hello"], "", "de")
    check(r.code == 7013 and r.desc, "translating got %r" % r)
    r = a.ask("TIMMsgConvertVoiceToText", "http://127.0.0.1:1/x", "")
    check(r.code == 7013 and r.desc, "listening got %r" % r)
    equal(a.call("TIMMsgTranslateText", None, "", "de").rc, -4, "no texts")
    equal(a.call("TIMMsgTranslateText", "{", "", "de").rc, -4, "broken JSON: as the vendor's library answers here")
    check(a.call("TIMMsgConvertVoiceToText", None, "").rc == -4, "no URL")


def backend(t, *options):
    """Builds and starts the example; returns its address."""
    folder = t.folder()
    program = os.path.join(folder, "language-backend")
    subprocess.run(["go", "build", "-o", program, "./examples/language-backend"], cwd=ROOT, check=True,
                   env=dict(os.environ, CGO_ENABLED="0"))
    process = subprocess.Popen([program, "--listen", "127.0.0.1:0", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end():
        process.kill()
        process.wait()
        process.stdout.close()
    t.defer(end)
    for line in process.stdout:
        if "127.0.0.1:" in line:
            return "http://127.0.0.1:" + line.rsplit("127.0.0.1:", 1)[1].strip().strip("/")
    raise AssertionError("the language backend did not start")


def test_with_the_example(t):
    """The server's port must be known to the backend, which fetches sounds only from there: so the server starts twice."""
    server = t.own_server()
    address = backend(t, "--token", "secret", "--files", "http://127.0.0.1:%d/" % server.port)
    server.stop()
    server.options = ["--language-url", address, "--language-token", "secret"]
    server.start()
    a, b = t.users("alice", "bob")
    for source in ("", "auto", "en"):
        r = translate(a, ["hello", "goodbye", "tea"], source, "de")
        equal(r.code, 0, "translating from %r (%s)" % (source, r.desc))
        equal(r.json, [{"msg_translate_text_source_text": s, "msg_translate_text_target_text": d}
                       for s, d in (("hello", "hallo"), ("goodbye", "tsch\u00fcss"), ("tea", "tea"))], "the texts")
    check(translate(a, ["hello"], "en", "xx").code not in (0, 7013), "an unknown language")
    equal(a.call("TIMMsgTranslateText", [], "en", "de").rc, -4, "no texts")
    equal(translate(a, ["x"], "en", "").code, 6017, "no language")
    m = a.sent(b.name, [files.sound(files.write(t.folder(), "x.wav", files.noise(4321)))])
    url = element(b.incoming(lambda x: x["message_msg_id"] == m["message_msg_id"]))["sound_elem_url"]
    r = b.ask("TIMMsgConvertVoiceToText", url, "")
    equal((r.code, r.text), (0, "(a sound of 4321 bytes)"), "what is said (%s)" % r.desc)
    check(b.ask("TIMMsgConvertVoiceToText", "http://127.0.0.1:1/x", "").code not in (0, 7013), "a sound of elsewhere")
    server.stop()
    a.packet_timeout(1)
    check(translate(a, ["hello"], "en", "de").code not in (0, 7013), "without a server")
