"""WebSocket frames (RFC 6455) as they pass: bytes in, whole messages out."""
import struct

CONTINUATION, TEXT, BINARY = 0, 1, 2


class Frames:
    """One direction of a connection. feed() returns (opcode, payload) of every message, and of every control frame, that has
    come whole; a message in several frames is put together."""

    def __init__(self):
        self.buffer, self.parts, self.kind = b"", [], None

    def feed(self, data):
        self.buffer += data
        found = []
        while True:
            frame = self._frame()
            if frame is None:
                return found
            final, opcode, payload = frame
            if opcode > BINARY:
                found.append((opcode, payload))
                continue
            if opcode != CONTINUATION:
                self.kind = opcode
            self.parts.append(payload)
            if final:
                found.append((self.kind, b"".join(self.parts)))
                self.parts = []

    def _frame(self):
        b = self.buffer
        if len(b) < 2:
            return None
        masked, size, at = b[1] & 0x80, b[1] & 0x7F, 2
        for code, width, form in ((126, 2, ">H"), (127, 8, ">Q")):
            if size == code:
                if len(b) < at + width:
                    return None
                size, at = struct.unpack_from(form, b, at)[0], at + width
                break
        mask, at = (b[at:at + 4], at + 4) if masked else (None, at)
        if len(b) < at + size:
            return None
        payload, self.buffer = b[at:at + size], b[at + size:]
        return b[0] & 0x80, b[0] & 0x0F, unmask(payload, mask) if mask else payload


def unmask(data, mask):
    size = len(data)
    pattern = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")


def frame(opcode, payload, masked):
    """A whole frame. What a client says must be masked; a mask of zeros leaves it as it is."""
    size, bit = len(payload), 0x80 if masked else 0
    if size < 126:
        head = struct.pack(">BB", 0x80 | opcode, bit | size)
    elif size < 1 << 16:
        head = struct.pack(">BBH", 0x80 | opcode, bit | 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, bit | 127, size)
    return head + (b"\0\0\0\0" if masked else b"") + payload
