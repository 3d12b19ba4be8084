"""Servers that are none: what a library meets in hotels, behind wrong ports and behind broken proxies."""
import base64
import hashlib
import socket
import ssl
import struct
import threading

import relays


class Stranger:
    """Accepts connections, counts them and lets `serve` do with each what it wants. Without `serve` it keeps quiet."""

    def __init__(self, serve=None, tls=None):
        self.serve, self.dials, self.open, self.lock = serve, 0, [], threading.Lock()
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, scheme="ws"):
        return "%s://127.0.0.1:%d" % (scheme, self.port)

    def _accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.dials += 1
                self.open.append(s)
            if self.serve:
                threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        try:
            if self.context:
                s = self.context.wrap_socket(s, server_side=True)
            self.serve(s)
            s.shutdown(socket.SHUT_RDWR)
        except (OSError, ssl.SSLError):
            pass
        s.close()

    def close(self):
        self.listener.close()
        for s in self.open:
            s.close()


def head(s):
    """Reads the head of an HTTP request, or the beginning of something else."""
    text = b""
    while not text.endswith(b"\r\n\r\n") and not text.startswith(b"\x16"):
        text += relays.exactly(s, 1)
    return text.decode("latin-1")


def http(status, *headers):
    """Answers every request with a page."""
    page = b"<html>Welcome to the hotel</html>"
    lines = ["HTTP/1.1 " + status, "Content-Length: %d" % len(page), "Content-Type: text/html", "Connection: close", *headers]

    def serve(s):
        head(s)
        s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + page)
    return serve


def websocket(talk=None):
    """Makes a WebSocket of the connection, then talk(socket); without talk it keeps quiet."""
    def serve(s):
        key = next(line.split(": ")[1] for line in head(s).split("\r\n") if line.lower().startswith("sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        s.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: %s\r\n\r\n" % accept).encode())
        if talk:
            talk(s)
        else:
            while s.recv(4096):
                pass
    return serve


def frame(text):
    """A text frame of a server."""
    size = struct.pack("!B", len(text)) if len(text) < 126 else struct.pack("!BH", 126, len(text))
    return b"\x81" + size + text


def echo(s):
    """Sends back what it gets."""
    while True:
        relays.exactly(s, 1)
        size = relays.exactly(s, 1)[0] & 127
        if size == 126:
            size = struct.unpack("!H", relays.exactly(s, 2))[0]
        mask = relays.exactly(s, 4)
        s.sendall(frame(bytes(b ^ mask[i % 4] for i, b in enumerate(relays.exactly(s, size)))))


def says(text):
    """Says something at once and waits."""
    def talk(s):
        s.sendall(frame(text.encode()))
        while s.recv(4096):
            pass
    return talk


class Refuser(relays.Relay):
    """A relay that turns the server's next answers to logins into refusals while `refusal` is (code, text)."""

    def __init__(self, target):
        self.refusal, self.refused = None, 0
        super().__init__(target)

    def altered(self, data):
        """What goes on to the client instead of data, which holds whole frames here: answers to logins come alone."""
        if b"logged in already" in data:
            return b""  # asked again before cut(): the server has let in whom it seems to have refused
        if not self.refusal or b'"tinyid":' not in data or b'"epoch":' not in data:
            return data
        number = int(data.split(b'"id":')[1].split(b",")[0])
        self.refused += 1
        return frame(('{"id":%d,"code":%d,"desc":"%s","body":{}}\n' % ((number,) + self.refusal)).encode())
