"""Pseudonyms of the extract, wherever and however they are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from hub.checks.encodings import decoded_pieces, reversed_runs, rounded_powers
from hub.checks.findings import Finding, Place, Severity
from hub.checks.sentences import finding
from hub.checks.texts import is_hidden
from hub.domain.pseudonyms import DIGITS, has_valid_check_digit

if TYPE_CHECKING:  # the doors import this module before the limits hold; what reads data comes after
    from hub.checks.extracts import Extract

_RUN = re.compile(r"\d{15,}")
_SCIENTIFIC = re.compile(r"(?<![\d.])\d{1,15}(?:\.\d{1,14})?[eE]\+?\d{1,2}(?!\d)")
# Digit groups with one mark between them: grouped thousands, a card number's fours, a hyphenated code.
_GROUPS = re.compile(r"\d{1,14}(?:[ ,.'’_\-/:]\d{1,14})+")
_MARKS = re.compile(r"[ ,.'’_\-/:]")
_MAX_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the file that can be read, and where it stands."""

    place: Place
    content: str


@dataclass(frozen=True, slots=True)
class Token:
    """Fifteen digits found at `offset`. `certain` is False when a number could look like this by itself
    (digits after a decimal point, groups that are not thousands, a piece of a longer number)."""

    digits: str
    offset: int
    certain: bool


def find_pseudonyms(texts: list[Text], extract: Extract | None) -> list[Finding]:
    """One finding per text: BLOCK for identifiers of the extract, REVIEW for what has their form.

    Findings hold counts and lines, never the identifier itself.
    """
    findings: list[Finding] = []
    for text in texts:
        tokens = [token for token in tokens_of(text.content) if has_valid_check_digit(token.digits)]
        known = extract.known(token.digits for token in tokens) if extract is not None else {}
        hits = [token for token in tokens if token.digits in known]
        if not hits and extract is not None:
            hits, known = _disguised(text.content, extract)
        if hits:
            columns = sorted({known[token.digits] for token in hits})
            findings.append(_finding("pseudonym", Severity.BLOCK, text, hits, columns))
        tags = extract.tags if extract is not None else frozenset()
        alike = [
            t for t in tokens if t.certain and t.digits not in known and (not tags or t.digits[:2] in tags)
        ]
        if alike:
            findings.append(_finding("pseudonym_like", Severity.REVIEW, text, alike, []))
    return findings


def _disguised(content: str, extract: Extract) -> tuple[list[Token], dict[str, str]]:
    """Identifiers of the extract in encoded pieces, backwards, or as rounded powers of ten."""
    plain = _plain(content)
    tokens = [Token(digits, offset, certain=True) for digits, offset in reversed_runs(plain)]
    for piece, offset in decoded_pieces(plain):
        found = (token for token in tokens_of(piece) if has_valid_check_digit(token.digits))
        tokens += [Token(token.digits, offset, certain=True) for token in found]
    known = extract.known(token.digits for token in tokens)
    for low, high, offset in rounded_powers(plain):
        column = extract.between(low, high)
        if column is not None:
            tokens.append(Token(str(low), offset, certain=True))
            known[str(low)] = column
    return [token for token in tokens if token.digits in known], known


def _finding(rule: str, severity: Severity, text: Text, tokens: list[Token], columns: list[str]) -> Finding:
    content = _plain(text.content)
    lines = sorted({content.count("\n", 0, token.offset) + 1 for token in tokens[:_MAX_SHOWN]})
    evidence = {
        "count": len(tokens),
        "distinct": len({token.digits for token in tokens}),
        "lines": lines,
        "variables": columns,
    }
    return finding(rule, severity, text.place.within(line=lines[0] - 1), evidence=evidence)


def tokens_of(content: str) -> Iterator[Token]:
    """Every way to read fifteen digits in `content`."""
    text = _plain(content)
    for run in _RUN.finditer(text):
        digits = run.group()
        decimal = re.search(r"\d?[.,]$", text[max(0, run.start() - 2) : run.start()]) is not None
        for at in range(len(digits) - DIGITS + 1):
            yield Token(digits[at : at + DIGITS], run.start() + at, len(digits) == DIGITS and not decimal)
    for number in _SCIENTIFIC.finditer(text):
        token = _exact(number.group())
        if token is not None:
            yield Token(token, number.start(), certain=True)
    for run in _GROUPS.finditer(text):
        if run.end() - run.start() > DIGITS:
            yield from _grouped(run.group(), run.start())


def _grouped(text: str, start: int) -> Iterator[Token]:
    """Neighbouring groups that make fifteen digits together."""
    groups = _MARKS.split(text)
    marks = _MARKS.findall(text)
    offset = start
    for first, group in enumerate(groups):
        length, last = len(group), first
        while length < DIGITS and last + 1 < len(groups):
            last += 1
            length += len(groups[last])
        if length == DIGITS and last > first:
            thousands = last - first == 4 and len(group) == 3 and len(set(marks[first:last])) == 1
            whole = first == 0 and last == len(groups) - 1
            yield Token("".join(groups[first : last + 1]), offset, thousands and whole)
        offset += len(group) + 1


def _exact(number: str) -> str | None:
    try:
        value = Decimal(number)
    except InvalidOperation:
        return None
    if value != value.to_integral_value() or value.adjusted() != DIGITS - 1:
        return None
    return str(int(value))


def _plain(text: str) -> str:
    """`text` with hidden characters dropped and every script's digits in ASCII."""
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c
        for c in folded
        if not is_hidden(c)
    )
