"""Numbers in disguise: base64 and hexadecimal, digits written backwards, and powers of ten cut short."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Iterator
from decimal import Decimal

from hub.domain.pseudonyms import DIGITS, has_valid_check_digit

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{11,}={0,2}(?![A-Za-z0-9+/=_-])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?[0-9a-fA-F]{11,}(?![0-9A-Za-z])")
_RUN = re.compile(r"(?<!\d)\d{15}(?!\d)")
_SHORT = re.compile(r"(?<![\d.])\d[.,]\d{8,13}[eE]\+?14(?!\d)")
_LOWEST, _HIGHEST = 10 ** (DIGITS - 1), 10**DIGITS - 1
_MOST_BYTES = 2_000_000
_MANY_NUMBERS = 20
# gzip, zip, bzip2, xz, zstd, zlib, Parquet, pickles, SQLite, HDF5
_CONTAINERS = (
    b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"\x78\x01", b"\x78\x9c",
    b"\x78\xda", b"PAR1", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"SQLite format 3", b"\x89HDF",
)  # fmt: skip
_WORD = 8


def decoded_pieces(text: str) -> Iterator[tuple[str, int]]:
    """What base64 and hexadecimal runs of `text` hold, as text in which identifiers can be sought, with the
    place of the run: their characters where they are text, and every number of eight bytes in them."""
    budget = _MOST_BYTES
    for run in _BASE64.finditer(text):
        data = _from_base64(run.group())
        budget -= len(data)
        if budget < 0:
            return
        if found := _readable(data):
            yield found, run.start()
    for run in _HEX.finditer(text):
        digits = run.group().lower().removeprefix("0x")
        numbers = [str(int(digits, 16))] if len(digits) <= 2 * _WORD else []
        data = bytes.fromhex(digits) if len(digits) % 2 == 0 else b""
        budget -= len(data)
        if budget < 0:
            return
        if found := "\n".join([*numbers, _readable(data)]).strip():
            yield found, run.start()


def holds_data(run: str) -> bool:
    """Whether a base64 or hexadecimal run holds what would be refused as a file: text with many numbers, a
    container of data, or compressed bytes (which may be either)."""
    hexadecimal = _HEX.fullmatch(run) is not None and len(run) % 2 == 0
    data = bytes.fromhex(run.lower().removeprefix("0x")) if hexadecimal else _from_base64(run)
    if data.startswith(_CONTAINERS):
        return True
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    shown = sum(one.isprintable() or one in "\n\r\t" for one in text)
    return shown == len(text) and len(re.findall(r"\d+", text)) >= _MANY_NUMBERS


def reversed_runs(text: str) -> Iterator[tuple[str, int]]:
    """Fifteen digits that are an identifier's when read from the right."""
    for run in _RUN.finditer(text):
        backwards = run.group()[::-1]
        if has_valid_check_digit(backwards):
            yield backwards, run.start()


def rounded_powers(text: str) -> Iterator[tuple[int, int, int]]:
    """Numbers like 3.700086266e+14: the smallest and largest whole number printed so, and the place."""
    for run in _SHORT.finditer(text):
        number = run.group().replace(",", ".")
        value = Decimal(number)
        step = Decimal(10) ** (DIGITS - 1 - len(number.lower().split("e")[0].split(".")[1]))
        yield int(value - step / 2), int(value + step / 2), run.start()


def _from_base64(run: str) -> bytes:
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    if len(plain) % 4 == 1:
        return b""
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return b""


def _readable(data: bytes) -> str:
    """The digits that bytes hold: as text, and as whole numbers or floats of eight bytes."""
    found = []
    if data and sum(48 <= byte < 58 for byte in data) >= DIGITS:
        found.append(data.decode("latin-1"))
    if len(data) >= _WORD:
        whole = data[: len(data) // _WORD * _WORD]
        for form in ("<q", ">q", "<d", ">d"):
            for (number,) in struct.iter_unpack(form, whole):
                if _LOWEST <= number <= _HIGHEST and number == int(number):
                    found.append(str(int(number)))
    return "\n".join(found)
