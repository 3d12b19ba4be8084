"""Files that tests send: images of four formats, bytes of chance, and the elements that carry them."""
import os
import random
import struct
import zlib

from timbre import FILE, IMAGE, SOUND, VIDEO

PARTS = 4 << 20  # how much of a file travels in one request


def noise(n, seed=0):
    return random.Random(seed).randbytes(n)


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


def png(width, height, pixels=None):
    """A true-colour PNG; the pixels are noise, which no format makes small."""
    row = width * 3
    pixels = pixels or noise(row * height)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\0" + pixels[i * row:(i + 1) * row] for i in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(lines, 1)) + chunk(b"IEND", b""))


def bmp(width, height):
    line = (width * 3 + 3) // 4 * 4
    return (struct.pack("<2sIHHI", b"BM", 54 + line * height, 0, 0, 54)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, line * height, 2835, 2835, 0, 0) + noise(line * height))


def gif(width, height):
    """Grey noise; the table of the compression is cleared before it grows, so every code has 8 bits."""
    pixels, bits, size = [p & 127 for p in noise(width * height)], 0, 0
    out = bytearray()
    for i in range(0, len(pixels), 100):
        for code in [128] + pixels[i:i + 100]:
            bits, size = bits | code << size, size + 8
            out.append(bits & 255)
            bits, size = bits >> 8, size - 8
    out.append(129)
    blocks = b"".join(bytes([len(out[i:i + 255])]) + out[i:i + 255] for i in range(0, len(out), 255))
    return (b"GIF89a" + struct.pack("<HHBBB", width, height, 0xf6, 0, 0) + bytes(v for i in range(128) for v in (2 * i,) * 3)
            + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x07" + blocks + b"\0;")


def image(path, level=1):
    return {"elem_type": IMAGE, "image_elem_orig_path": path, "image_elem_level": level}


def sound(path, seconds=3):
    return {"elem_type": SOUND, "sound_elem_file_path": path, "sound_elem_file_time": seconds}


def file(path, **keys):
    return dict({"elem_type": FILE, "file_elem_file_path": path}, **keys)


def video(path, cover):
    return {"elem_type": VIDEO, "video_elem_video_path": path, "video_elem_video_type": "mp4", "video_elem_video_duration": 9,
            "video_elem_image_path": cover, "video_elem_image_type": "png", "video_elem_image_width": 4, "video_elem_image_height": 2}


def element(message):
    return message["message_elem_array"][0]
