"""Small servers that tests put between the library and timbred: a TCP relay that can go deaf, a SOCKS5 and an HTTP proxy."""
import base64
import socket
import threading

from timbre import DEADLINE


class Relay:
    """Passes TCP connections on. `answers` cleared holds back what the server says, cut() ends all connections."""

    def __init__(self, target):
        self.target = target  # (host, port), or None when greet() finds it out
        self.answers = threading.Event()
        self.answers.set()
        self.connections, self.open, self.lock = 0, [], threading.Lock()
        self.requests = []
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(50)
        self.port = self.listener.getsockname()[1]
        self.closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return "ws://127.0.0.1:%d" % self.port

    def greet(self, client):
        """What a proxy does before it passes bytes on; returns the target or None to hang up."""
        return self.target

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with self.lock:
                if self.closed:
                    return client.close()
                self.open.append(client)
            target = self.greet(client)
            if not target:
                return client.close()
            server = socket.create_connection(target, timeout=DEADLINE)
            server.settimeout(None)
            with self.lock:
                self.connections += 1
                self.open.append(server)
            self.ready(client)
        except OSError:
            return client.close()
        threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()
        self._pump(client, server, False)

    def ready(self, client):
        pass

    def altered(self, data):
        """May change what the server says."""
        return data

    def files(self, data, answers):
        """Sees what passes on connections other than the WebSocket's, before it goes on."""

    def _pump(self, source, sink, answers):
        socket_of_messages = None
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if socket_of_messages is None:  # both its request and its answer say so in their heads
                    socket_of_messages = b"websocket" in data.lower()
                if answers:
                    self.answers.wait()
                    data = self.altered(data)
                if not socket_of_messages:
                    self.files(data, answers)
                sink.sendall(data)
        except OSError:
            pass
        for s in (source, sink):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def cut(self):
        with self.lock:
            open_, self.open = self.open, []
        for s in open_:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def close(self):
        """Refuses new connections too."""
        with self.lock:
            self.closed = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.cut()
        self.answers.set()  # what was held back finds no connection any more


class Gate(Relay):
    """Lets the connections of files carry `limit` bytes each way and then holds them; messages pass all the while."""

    def __init__(self, target, limit=None):
        self.limit, self.passed, self.moved = limit, {False: 0, True: 0}, threading.Condition()
        super().__init__(target)

    def files(self, data, answers):
        with self.moved:
            self.passed[answers] += len(data)
            self.moved.notify_all()
            self.moved.wait_for(lambda: self.limit is None or self.passed[answers] <= self.limit)

    def held(self, answers=False, timeout=DEADLINE):
        """Waits until the limit is reached."""
        with self.moved:
            if not self.moved.wait_for(lambda: self.passed[answers] > self.limit, timeout):
                raise AssertionError("only %d bytes came to the gate" % self.passed[answers])

    def release(self, limit=None):
        """Lets everything pass, or as much more; returns what has passed each way."""
        with self.moved:
            passed, self.limit = (self.passed[False], self.passed[True]), limit
            self.passed = {False: 0, True: 0}
            self.moved.notify_all()
        return passed

    def close(self):
        super().close()
        self.release()


def exactly(s, n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece:
            raise OSError("connection ended")
        data += piece
    return data


class Socks5(Relay):
    """A SOCKS5 proxy (RFC 1928, 1929); with a user it demands the password."""

    def __init__(self, user=None, password=None):
        self.user, self.password = user, password
        super().__init__(None)

    def greet(self, client):
        _, n = exactly(client, 2)
        methods = exactly(client, n)
        if self.user:
            if 2 not in methods:
                client.sendall(b"\x05\xff")
                return None
            client.sendall(b"\x05\x02")
            user = exactly(client, exactly(client, 2)[1])
            password = exactly(client, exactly(client, 1)[0])
            good = (user.decode(), password.decode()) == (self.user, self.password)
            client.sendall(b"\x01\x00" if good else b"\x01\x01")
            if not good:
                return None
        else:
            client.sendall(b"\x05\x00")
        _, command, _, kind = exactly(client, 4)
        if kind == 1:
            host = socket.inet_ntoa(exactly(client, 4))
        elif kind == 3:
            host = exactly(client, exactly(client, 1)[0]).decode()
        else:
            host = socket.inet_ntop(socket.AF_INET6, exactly(client, 16))
        port = int.from_bytes(exactly(client, 2), "big")
        self.requests.append((command, host, port))
        return host, port

    def ready(self, client):
        client.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")


class HTTPProxy(Relay):
    """An HTTP proxy that knows CONNECT; with a user it demands the password."""

    def __init__(self, user=None, password=None):
        self.user, self.password = user, password
        super().__init__(None)

    def greet(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += exactly(client, 1)
        lines = head.decode().split("\r\n")
        method, address, _ = lines[0].split()
        headers = {}
        for line in lines[1:]:
            if ": " in line:
                key, value = line.split(": ", 1)
                headers[key.lower()] = value
        self.requests.append((method, address))
        if self.user:
            want = "Basic " + base64.b64encode(("%s:%s" % (self.user, self.password)).encode()).decode()
            if headers.get("proxy-authorization") != want:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return None
        host, port = address.rsplit(":", 1)
        return host, int(port)

    def ready(self, client):
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
