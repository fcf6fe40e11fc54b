"""Bytes to text, and text so that a person sees all of it."""

from __future__ import annotations

import unicodedata

_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Cf: zero-width and bidirectional controls; Cc: control; Co, Cn, Cs: no agreed picture; Zl, Zp: hidden lines.
_HIDDEN = frozenset({"Cf", "Cc", "Co", "Cn", "Cs", "Zl", "Zp"})
# Letters that print as nothing: Hangul fillers, Braille blank, variation selectors.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")


def decode(data: bytes) -> tuple[str, str | None]:
    """The text of `data` and None, or the text with replacements and what is wrong with the encoding.

    Never raises. UTF-8 is the only good answer; UTF-16 and UTF-32 are read by their mark so that the rules
    see the digits, and still reported.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), encoding
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 at byte {error.start}"
    if data.decode("utf-8", errors="ignore").isascii():
        return data.decode("cp1252", errors="replace"), problem
    return data.decode("utf-8", errors="replace"), problem


def is_hidden(character: str) -> bool:
    """Whether a person would not see this character (line breaks and tabs are layout, not hidden)."""
    if character in "\n\r\t ":
        return False
    if unicodedata.category(character) in _HIDDEN or character in _BLANK:
        return True
    point = ord(character)
    return 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF


def reveal(text: str) -> str:
    """`text` with each hidden character written as ⟨U+200B⟩."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"⟨U+{ord(c):04X}⟩" if is_hidden(c) else c for c in text)


def hidden_characters(text: str) -> dict[str, int]:
    """Hidden character, as U+200B → how often it is there."""
    if text.isascii() and text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        return {}
    return {f"U+{ord(c):04X}": text.count(c) for c in sorted(set(text)) if is_hidden(c)}


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run this cell (and it is not simply a negative number)."""
    stripped = cell.lstrip()
    if stripped[:1] not in ("=", "+", "-", "@") and cell[:1] not in ("\t", "\r"):
        return False
    # A coefficient with its stars or brackets is a number to a reader, and text to a spreadsheet.
    try:
        float(stripped.rstrip("*†%)] ").replace(",", "").replace(" ", ""))
    except ValueError:
        return len(stripped) > 1
    return False
