"""PNG and JPEG: size before decoding, what hides beside the pixels, and the pixels again without it."""

from __future__ import annotations

import io
import re
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Chunks that only say how to show the pixels, and the most bytes they need for it.
_SHOWING = {
    "PLTE": 768,
    "tRNS": 256,
    "cHRM": 32,
    "pHYs": 9,
    "tIME": 7,
    "bKGD": 6,
    "gAMA": 4,
    "sBIT": 4,
    "sRGB": 1,
}
_SHOWING["IEND"] = 0
_TEXTS = frozenset({"tEXt", "zTXt", "iTXt"})
_METADATA = frozenset({"eXIf", "iCCP", "hIST", "sPLT", "cICP"})
_MATPLOTLIB = re.compile(r"Software\x00Matplotlib version\s?\d+(\.\w+)*, https?://matplotlib\.org/")
_MAX_TEXT = 1_000_000


class MalformedImage(ValueError):
    """The bytes are not a well-formed image; the text says why, without data."""


@dataclass
class ImageFacts:
    """What an image file holds beside its pixels.

    `texts`: (name, text) of readable metadata; `hidden`: names of parts nobody could see; `trailing`:
    bytes after the end of the image.
    """

    width: int = 0
    height: int = 0
    texts: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    trailing: int = 0


def inspect(data: bytes, max_pixels: int) -> ImageFacts:
    """Facts of a PNG or JPEG, found without decoding its pixels beyond a size check.

    Stops after the header when the image has more than `max_pixels`. Raises `MalformedImage`.
    """
    if data.startswith(_SIGNATURE):
        return _inspect_png(data, max_pixels)
    if data.startswith(b"\xff\xd8\xff"):
        return _inspect_jpeg(data, max_pixels)
    raise MalformedImage("neither PNG nor JPEG")


def _chunks(data: bytes) -> Iterator[tuple[str, bytes, int]]:
    """Type, content and end of each chunk up to IEND. Raises `MalformedImage`."""
    at = len(_SIGNATURE)
    while True:
        if at + 12 > len(data):
            raise MalformedImage("cut short")
        length = int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data) or not name.isalpha():
            raise MalformedImage("bad chunk")
        content = data[at + 8 : end - 4]
        if zlib.crc32(name + content) != int.from_bytes(data[end - 4 : end], "big"):
            raise MalformedImage("bad checksum")
        yield name.decode("ascii"), content, end
        if name == b"IEND":
            return
        at = end


def _inspect_png(data: bytes, max_pixels: int) -> ImageFacts:
    facts = ImageFacts()
    pixels = bytearray()
    header = b""
    for name, content, end in _chunks(data):
        if not header:
            header = _read_header(name, content, facts)
            if facts.width * facts.height > max_pixels:
                return facts
        elif name == "IDAT":
            pixels += content
        else:
            _note_chunk(name, content, facts)
        facts.trailing = len(data) - end
    _inspect_pixels(bytes(pixels), header, facts)
    return facts


def _read_header(name: str, content: bytes, facts: ImageFacts) -> bytes:
    if name != "IHDR" or len(content) != 13:
        raise MalformedImage("no header")
    facts.width, facts.height = (int.from_bytes(content[n : n + 4], "big") for n in (0, 4))
    if not facts.width or not facts.height:
        raise MalformedImage("no size")
    return content


def _note_chunk(name: str, content: bytes, facts: ImageFacts) -> None:
    if name in _TEXTS or name in _METADATA:
        text = _chunk_text(name, content)
        if not _MATPLOTLIB.fullmatch(text):
            facts.texts.append((name, text))
    elif len(content) > _SHOWING.get(name, -1):
        facts.hidden.append(name)


def _chunk_text(name: str, content: bytes) -> str:
    """The text of a metadata chunk, unpacked up to a bound."""
    keyword, _, rest = content.partition(b"\x00")
    packed = rest[1:] if name == "zTXt" else None
    if name == "iTXt" and rest[:1] == b"\x01":
        packed = rest[2:].split(b"\x00", 2)[-1]
    if name == "iCCP":
        packed = rest[1:]
    if packed is not None:
        rest = _unpack(packed, _MAX_TEXT)[0]
    return (keyword + b"\x00" + rest).decode("utf-8", errors="replace")


def _unpack(packed: bytes, limit: int) -> tuple[bytes, bytes, bool]:
    """At most `limit` bytes of a zlib stream, what follows it, and whether it ended."""
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(packed, limit)
    except zlib.error as error:
        raise MalformedImage("bad compression") from error
    return content, stream.unused_data, stream.eof


def _inspect_pixels(packed: bytes, header: bytes, facts: ImageFacts) -> None:
    """Refuse pixels that do not fit the header; note bytes hidden behind them."""
    depth, colour, interlaced = header[8], header[9], header[12]
    if colour not in _CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise MalformedImage("unknown colours")
    bits = depth * _CHANNELS[colour]
    expected = sum(h * (1 + (w * bits + 7) // 8) for w, h in _passes(facts.width, facts.height, interlaced))
    content, rest, ended = _unpack(packed, expected + 1)
    if len(content) < expected:
        raise MalformedImage("pixels missing")
    if len(content) > expected or rest or not ended:
        facts.hidden.append("IDAT")


def _passes(width: int, height: int, interlaced: int) -> list[tuple[int, int]]:
    if not interlaced:
        return [(width, height)]
    grid = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    sizes = [((width - x + dx - 1) // dx, (height - y + dy - 1) // dy) for x, y, dx, dy in grid]
    return [(w, h) for w, h in sizes if w > 0 and h > 0]


_SOF = frozenset({0xC0, 0xC1, 0xC2})


def _inspect_jpeg(data: bytes, max_pixels: int) -> ImageFacts:
    facts = ImageFacts()
    at = 2
    while True:
        marker, at = _next_marker(data, at)
        if marker == 0xD9:
            facts.trailing = len(data) - at
            break
        length = int.from_bytes(data[at : at + 2], "big")
        content = data[at + 2 : at + length]
        if length < 2 or at + length > len(data):
            raise MalformedImage("bad segment")
        at += length
        if marker in _SOF:
            facts.height, facts.width = (int.from_bytes(content[n : n + 2], "big") for n in (1, 3))
            if facts.width * facts.height > max_pixels:
                return facts
        elif marker == 0xFE or 0xE0 <= marker <= 0xEF:
            _note_segment(marker, content, facts)
        elif marker == 0xDA:
            at = _end_of_scan(data, at)
    if not facts.width or not facts.height:
        raise MalformedImage("no size")
    return facts


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    if at + 2 > len(data) or data[at] != 0xFF:
        raise MalformedImage("cut short")
    while at + 1 < len(data) and data[at + 1] == 0xFF:  # padding
        at += 1
    if at + 1 >= len(data):
        raise MalformedImage("cut short")
    return data[at + 1], at + 2


def _note_segment(marker: int, content: bytes, facts: ImageFacts) -> None:
    jfif = marker == 0xE0 and content.startswith(b"JFIF\x00") and len(content) == 14
    adobe = marker == 0xEE and content.startswith(b"Adobe") and len(content) == 12
    if not jfif and not adobe:
        name = "COM" if marker == 0xFE else f"APP{marker - 0xE0}"
        facts.texts.append((name, content.decode("utf-8", errors="replace")))


def _end_of_scan(data: bytes, at: int) -> int:
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise MalformedImage("cut short")
        if data[at + 1] == 0x00 or 0xD0 <= data[at + 1] <= 0xD7:
            at += 2
        else:
            return at


def reencode(data: bytes, max_pixels: int) -> tuple[bytes, int, int]:
    """The pixels as a fresh PNG on white, with width and height. Raises `MalformedImage`.

    1. The header is read and its size compared before anything is decoded.
    2. Only the PNG and JPEG readers of Pillow are open to the bytes.
    3. Colours under full transparency are laid on white, so nothing of the source but pixels remains.
    """
    facts = inspect(data, max_pixels)
    if facts.width * facts.height > max_pixels:
        raise MalformedImage("too many pixels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong beside the pixels does not leave
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
                image.load()
                coloured = image.convert("RGBA")
        canvas = Image.new("RGB", coloured.size, "white")
        canvas.paste(coloured, mask=coloured.getchannel("A"))
        out = io.BytesIO()
        canvas.save(out, format="PNG")
    # Pillow raises these on hostile bytes; MemoryError is left to end the process.
    except (OSError, ValueError, SyntaxError, OverflowError, IndexError, KeyError, TypeError, zlib.error,
            Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # fmt: skip
        raise MalformedImage("not decodable") from error
    return out.getvalue(), canvas.width, canvas.height
