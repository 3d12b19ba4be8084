"""The proxy between one device and the server. It knows what passes, so a fault can strike exactly one line: the request of
an operation, its answer, or a push. Everything else passes as it is.

A line is what the protocol calls one. On connections of files a "line" is a piece of bytes, and the first piece of a
request or an answer is known by its head. With TLS nothing can be read, and a line is one TLS record.

A Strike is armed before the device acts. When its line comes, the connection's own thread runs the fault's `act` with
the line still in hand; what a fault does to the rest of the connection it does through the Link.
"""
import ctypes
import json
import re
import socket
import threading

from frames import TEXT, Frames, frame

UP, DOWN = "request", "answer"
FILE = re.compile(rb"(POST|PUT|GET) (/files\S*) HTTP")
HANDSHAKE, DATA = 22, 23  # types of TLS records


class Strike:
    """One line that a fault waits for: the n-th of an operation that passes one point."""

    def __init__(self, op, point, n, act):
        self.op, self.point, self.left, self.act = op, point, n, act
        self.lock, self.come = threading.Lock(), threading.Event()

    def takes(self, op, point):
        with self.lock:
            if self.left == 0 or point != self.point or not (op == self.op or op.startswith(self.op + ".")):
                return False
            self.left -= 1
            return self.left == 0


class Proxy:
    """Listens for one device. strikes are asked about every line, in their order."""

    def __init__(self, target, tls=False):
        self.target, self.tls = target, tls
        self.strikes, self.links, self.lock, self.closed, self.refusing = [], [], threading.Lock(), False, False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % ("wss" if self.tls else "ws", self.port)

    def arm(self, *strikes):
        self.strikes = list(strikes)

    def struck(self, op, point):
        return next((s for s in self.strikes if s.takes(op, point)), None)

    def heal(self):
        """Nothing is armed any more, and what was left half open ends."""
        self.strikes = []
        with self.lock:
            links = list(self.links)
        for link in links:
            if link.deaf:
                link.cut()

    def cut(self):
        with self.lock:
            links = list(self.links)
        for link in links:
            link.cut()

    def shut(self, on):
        """Ends all connections and lets nobody in, until it is opened again."""
        self.refusing = on
        if on:
            self.cut()

    def close(self):
        self.closed = True
        self.listener.close()
        self.cut()

    def _accept(self):
        while not self.closed:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        if self.refusing:
            return client.close()
        try:
            server = socket.create_connection(self.target(), timeout=60)
            server.settimeout(None)
        except OSError:
            return client.close()
        for s in (client, server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(self, client, server)
        with self.lock:
            self.links.append(link)
        down = threading.Thread(target=link.pump, args=(DOWN,), daemon=True)
        down.start()
        link.pump(UP)
        down.join()
        with self.lock:
            self.links.remove(link)


class Link:
    """One connection through the proxy."""

    def __init__(self, proxy, client, server):
        self.proxy, self.ends = proxy, {UP: (client, server), DOWN: (server, client)}
        self.kind, self.ops, self.op = None, {}, ""
        self.deaf = False
        self.over = threading.Event()
        self.held = {}
        self.writing = {UP: threading.RLock(), DOWN: threading.RLock()}

    # ---- what faults do

    def cut(self, reset=False):
        """Ends both halves, politely or with a reset."""
        self.over.set()
        for s in self.ends[UP]:
            try:
                if reset:
                    abort(s)
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def put(self, way, line):
        with self.writing[way]:
            if not self.deaf:
                self.ends[way][1].sendall(self.wrap(way, line))

    def wrap(self, way, line):
        return frame(TEXT, line, way == UP) if self.kind == "lines" else line

    def half(self, way, line, share):
        """Writes a part of a line, so much that the other side can do nothing with it."""
        data = self.wrap(way, line)
        with self.writing[way]:
            self.ends[way][1].sendall(data[:max(1, min(len(data) - 1, int(len(data) * share)))])

    def hold(self, way, line, patience):
        """Keeps a line until the next one has passed, or until patience ends."""
        self.held[way] = line
        timer = threading.Timer(patience, self.let, (way,))
        timer.daemon = True
        timer.start()

    def let(self, way):
        with self.writing[way]:
            line = self.held.pop(way, None)
            if line is not None:
                try:
                    self.put(way, line)
                except OSError:
                    pass

    # ---- what passes

    def pump(self, way):
        source, sink = self.ends[way]
        cutter = None
        try:
            while True:
                data = source.recv(1 << 16)
                if not data:
                    break
                if cutter is None:
                    cutter, data = self.begin(way, data)
                for line in cutter(data):
                    self.line(way, line)
        except OSError:
            pass
        if self.deaf and way == DOWN:
            self.over.wait()  # the device must not see that the server has gone
        self.cut()
        source.close()

    def begin(self, way, data):
        """Finds out what passes here, and lets the head of the HTTP request pass, which makes a WebSocket."""
        if self.proxy.tls:
            self.kind = "records"
            return Records().feed, data
        if b"websocket" not in data.lower():
            self.kind = "bytes"
            return (lambda piece: [piece]), data
        end = data.index(b"\r\n\r\n") + 4
        self.ends[way][1].sendall(data[:end])
        self.kind = "lines"
        return self.lines(way), data[end:]

    def lines(self, way):
        frames = Frames()

        def cut(data):
            for opcode, payload in frames.feed(data):
                if opcode == TEXT:
                    yield from (line for line in payload.split(b"\n") if line)
                else:
                    with self.writing[way]:
                        self.ends[way][1].sendall(frame(opcode, payload, way == UP))
        return cut

    def line(self, way, line):
        if self.deaf:
            return
        op, point = self.name(way, line)
        strike = op and self.proxy.struck(op, point)
        with self.writing[way]:
            if strike:
                strike.act(self, way, line)
                strike.come.set()
                return
            self.put(way, line)
            self.let(way)

    def name(self, way, line):
        """What a line is: its operation and the point where it passes."""
        if self.kind == "records":
            return ("tls.handshake" if line[0] == HANDSHAKE else "tls.data" if line[0] == DATA else ""), way
        if self.kind == "bytes":
            return self.file(way, line), way
        v = json.loads(line)
        if way == UP:
            self.ops[v["id"]] = v["op"]
            return v["op"], UP
        return ("push." + v["push"], DOWN) if "push" in v else (self.ops.get(v["id"], ""), DOWN)

    def file(self, way, piece):
        head = FILE.match(piece)
        if way == UP and head:
            path = head[2]
            self.op = "file.part" if b"/parts/" in path else "file.done" if b"/done" in path else "file.begin"
            return self.op
        return self.op if way == DOWN and piece.startswith(b"HTTP/1.1 ") else ""


def abort(s):
    """Sends a reset. Closing would not while another thread reads; connecting to nowhere (AF_UNSPEC) does at once."""
    ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16)


class Records:
    """Cuts one direction of a TLS connection into its records."""

    def __init__(self):
        self.buffer = b""

    def feed(self, data):
        self.buffer += data
        while len(self.buffer) >= 5:
            size = 5 + int.from_bytes(self.buffer[3:5], "big")
            if len(self.buffer) < size:
                return
            record, self.buffer = self.buffer[:size], self.buffer[size:]
            yield record
