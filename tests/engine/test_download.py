"""Downloads: how far they are, what is there already, cuts and deaths in the middle, ends of URLs, what cannot be fetched."""
import os
import urllib.error
import urllib.request

import files
from files import element
from relays import Gate
from timbre import check, equal, poll


class Stored:
    """A file that alice has sent to bob, who stands behind a gate."""

    def __init__(self, t, size=9 << 20, **options):
        self.server = t.own_server(devices="all", **options)
        self.gate = Gate(("127.0.0.1", self.server.port))
        t.defer(self.gate.close)
        self.a, self.b = t.user("alice"), t.client("bob", url=self.gate.url).start()
        self.data = files.noise(size)
        m = self.a.sent(self.b.name, [files.file(files.write(t.folder(), "x.bin", self.data))])
        self.element = element(self.b.incoming(lambda x: x["message_msg_id"] == m["message_msg_id"]))
        self.id, self.url = self.element["file_elem_file_id"], self.element["file_elem_url"]
        self.folder = t.folder()
        self.path = os.path.join(self.folder, "made", "here", "x.bin")

    def begin(self):
        return self.b.begin("TIMMsgDownloadElemToPath", {"msg_download_elem_param_id": self.id}, self.path)

    def stopped(self, n):
        """Waits until the gate holds the file back behind n bytes, and the client has stored what came before."""
        self.gate.held(answers=True)
        part = self.path + ".timbre-part"
        poll(lambda: os.path.exists(part) and os.path.getsize(part) > n - (1 << 20), "what passed the gate is not stored")

    def whole(self):
        check(files.read(self.path) == self.data, "the file is another")
        equal(os.listdir(os.path.dirname(self.path)), ["x.bin"], "what lies beside it")


def steps(result, told, total):
    """Every step but the last one is told as one of downloading."""
    equal(result.json, {"msg_download_elem_result_current_size": total, "msg_download_elem_result_total_size": total}, "the end")
    equal({t for _, t in told}, {total}, "the total")
    equal([n for n, _ in told], sorted(n for n, _ in told), "the steps")


def test_progress(t):
    s = Stored(t)
    result, told = s.b.download(s.id, s.path)
    steps(result, told, len(s.data))
    check(len(told) > 2, "only %d steps" % len(told))
    s.whole()
    fresh = t.user("bob")
    fresh.download("", os.path.join(s.folder, "by-url"), s.url)
    check(files.read(os.path.join(s.folder, "by-url")) == s.data, "the file of the URL is another")


def test_what_is_there_stays(t):
    """The same file again carries no bytes; another one in its place is replaced."""
    s = Stored(t)
    s.b.download(s.id, s.path)
    before = os.stat(s.path).st_mtime_ns
    s.gate.release()
    result, told = s.b.download(s.id, s.path)
    steps(result, told, len(s.data))
    check(s.gate.release()[1] < 10000, "the file came again")
    equal(os.stat(s.path).st_mtime_ns, before, "its time")
    for other in (s.data[:-1] + b"?", b"short", b""):
        files.write(os.path.dirname(s.path), "x.bin", other)
        s.b.download(s.id, s.path)
        s.whole()


def test_cut(t):
    """A cut in the middle: the download goes on where it was."""
    s = Stored(t, 24 << 20)
    s.gate.release(16 << 20)
    call = s.begin()
    s.stopped(16 << 20)
    s.gate.cut()
    s.gate.release()
    s.b.downloaded(call)
    s.whole()
    check(s.gate.passed[True] < 18 << 20, "%d bytes came after the cut" % s.gate.passed[True])


def test_killed(t):
    """SIGKILL in the middle: a later process asks again and goes on where the first one was."""
    s = Stored(t, 24 << 20)
    s.gate.release(16 << 20)
    s.begin()
    s.stopped(16 << 20)
    s.b.kill()
    s.gate.release()
    check(not os.path.exists(s.path), "the target exists before it is whole")
    s.b.again()
    s.b.download(s.id, s.path)
    s.whole()
    check(s.gate.passed[True] < 18 << 20, "%d bytes came after the death" % s.gate.passed[True])


def test_restarted_server(t):
    s = Stored(t, 24 << 20)
    s.gate.release(16 << 20)
    call = s.begin()
    s.stopped(16 << 20)
    s.server.stop(hard=True)
    s.gate.cut()
    s.gate.release()
    s.server.start()
    s.b.downloaded(call)
    s.whole()


def test_logout(t):
    """A logout ends it, with one last call; what came is used the next time."""
    s = Stored(t, 24 << 20)
    s.gate.release(16 << 20)
    call = s.begin()
    s.stopped(16 << 20)
    s.b.logout()
    s.b.downloaded(call, code=6014)
    count = len(call.callbacks)
    s.gate.release()
    s.b.login()
    s.b.download(s.id, s.path)
    s.whole()
    equal(len(call.callbacks), count, "callbacks after the last one")


def test_url_with_an_end(t):
    """A URL that has ended is refused; the id still fetches the file, and so does a URL that comes with it."""
    s = Stored(t, 5000, options=["--file-url-ttl", "1s"])

    def ended():
        try:
            urllib.request.urlopen(s.url).close()
            return False
        except urllib.error.HTTPError as e:
            return e.code == 403
    s.server.swept(ended)
    s.b.download("", s.path, s.url, code=114001)
    check(not os.path.exists(s.path), "a refused file was made")
    s.b.download(s.id, s.path, s.url)
    s.whole()
    t.user("bob").download(s.id, s.path + ".fresh")
    check(files.read(s.path + ".fresh") == s.data, "the file on a fresh device is another")


def test_what_cannot_be_fetched(t):
    s = Stored(t, 100)
    s.b.download("NOSUCHFILE", s.path, code=114000)
    s.b.download("", s.path, "ftp://example.org/x", code=6010)
    s.b.download("", s.path, "nonsense", code=6010)
    s.b.download("", s.path, code=6017)
    s.b.download(s.id, "", code=6017)
    s.b.download(s.id, s.folder, code=7007)
    s.b.download(s.id, files.write(s.folder, "plain", b"x") + "/below", code=7007)
    equal(s.b.call("TIMMsgDownloadElemToPath", None, s.path).rc, -4, "no parameter")
    equal(s.b.call("TIMMsgDownloadElemToPath", "{", s.path).rc, -3, "broken JSON")
    s.b.download(s.id, s.path)
    s.whole()
    s.b.logout()
    s.b.download(s.id, s.path, code=6014)


def test_two_to_one_path(t):
    """Two downloads to one path wait for each other, and both succeed."""
    s = Stored(t)
    for call in [s.begin(), s.begin()]:
        s.b.downloaded(call)
    s.whole()


def test_every_kind_by_url_of_another_server(t):
    """A file that lies on any web server is fetched by its URL."""
    import http.server
    import threading
    folder = t.folder()
    data = files.noise(100000)
    files.write(folder, "there.bin", data)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=folder)

        def log_message(self, *args):
            pass
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    t.defer(lambda: (web.shutdown(), web.server_close()))
    a = t.user("alice")
    url = "http://127.0.0.1:%d/" % web.server_port
    a.download("", os.path.join(folder, "here.bin"), url + "there.bin")
    check(files.read(os.path.join(folder, "here.bin")) == data, "the file is another")
    a.download("", os.path.join(folder, "none.bin"), url + "none.bin", code=114000)
    equal(sorted(os.listdir(folder)), ["here.bin", "there.bin"], "the files")
