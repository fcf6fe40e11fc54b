"""Text, numbers and tables in the one form in which they leave.

What carries nothing for a reader is made uniform, because it could carry something for a machine: line
ends, kinds of blanks, blanks at the ends of lines, invisible characters, digits beyond any precision.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from hub.checks.findings import Place
from hub.checks.rewriting import Rewriting
from hub.checks.texts import is_hidden

SIGNIFICANT = 10  # digits of a decimal number that leave; whole numbers keep all of theirs
_EVEN = 12  # decimals of a column in which all numbers have as many
_MIXED_ENDS = 8  # so many lines with blanks of different lengths could spell something
_LONG_END = 8  # and so can few lines, by how many blanks they end with
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{4,}")


@dataclass
class Cleaning:
    """What was changed in the texts of one file, counted."""

    hidden: Counter[str] = field(default_factory=Counter)
    blanks: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    numbers: int = 0

    def report(self, rewriting: Rewriting, place: Place | None = None) -> None:
        """Say it as changes."""
        if self.hidden:
            rewriting.doubt(
                "hidden_characters", place, evidence={"characters": dict(sorted(self.hidden.items()))}
            )
        lines = sum(self.ends.values())
        longest = max(map(len, self.ends), default=0)
        if len(self.ends) > 1 and (lines >= _MIXED_ENDS or longest >= _LONG_END):
            rewriting.doubt("trailing_blanks", place, lines=lines)
        elif lines:
            self.blanks += lines
        if self.blanks:
            rewriting.note("blanks_normalised", place, count=self.blanks)
        if self.numbers:
            rewriting.note("numbers_normalised", place, cells=self.numbers)


def clean_characters(text: str, cleaning: Cleaning) -> str:
    """`text` in NFC with one kind of line end and blank, no invisible characters and no terminal colours."""
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return text
    text, coloured = _ESCAPES.subn("", text)
    text, broken = _BREAKS.subn("\n", text)
    cleaning.blanks += coloured + broken
    made = []
    for character in unicodedata.normalize("NFC", text):
        if character.isascii() and (character.isprintable() or character in "\n\t"):
            made.append(character)
        elif is_hidden(character):
            cleaning.hidden[f"U+{ord(character):04X}"] += 1
        elif (category := unicodedata.category(character)) == "Zs":
            cleaning.blanks += 1
            made.append(" ")
        elif category == "Nd":
            cleaning.blanks += 1
            made.append(str(unicodedata.decimal(character)))
        else:
            made.append(character)
    return "".join(made)


def clean_text(text: str, cleaning: Cleaning, *, numbers: bool) -> str:
    """A whole text: clean characters, no blanks at line ends, at most two empty lines together, one line end
    at the end; with `numbers`, decimals of more than `SIGNIFICANT` digits are cut to these."""
    text = clean_characters(text, cleaning)
    count_ends(text, cleaning)
    text = _TRAILING.sub("", text)
    text, runs = _EMPTY_LINES.subn("\n\n\n", text)
    cleaning.blanks += runs
    stripped = text.strip("\n")
    if numbers:
        stripped = cut_numbers(stripped, cleaning)
    return f"{stripped}\n" if stripped else ""


def count_ends(text: str, cleaning: Cleaning) -> None:
    """Add the blanks at the ends of the lines."""
    for blanks, padded in _ends(text):
        cleaning.blanks += padded
        cleaning.ends[blanks] += not padded
    cleaning.ends = +cleaning.ends


def _ends(text: str) -> Iterator[tuple[str, bool]]:
    """The blanks at the ends of lines, and whether they only make the line as long as one beside it, as
    programs fill the lines of a table."""
    lines = text.split("\n") if _TRAILING.search(text) else []
    sizes = [len(line) if line.strip() else -1 for line in lines]
    for at, line in enumerate(lines):
        blanks = line[len(line.rstrip(" \t")) :]
        if blanks:
            yield (
                blanks,
                sizes[at] > 0 and sizes[at] in (*sizes[max(at - 1, 0) : at], *sizes[at + 1 : at + 2]),
            )


def clean_line(text: str, cleaning: Cleaning) -> str:
    """A cell or label: clean characters on one line, single blanks, none at either end."""
    if not text.isascii() or not text.isprintable():
        text = clean_characters(text, cleaning)
    elif " " not in text:
        return text
    made = " ".join(text.split())
    if made != text:
        cleaning.blanks += 1
    return made


_DECIMAL = re.compile(
    r"((?<= )-)?(?<![0-9A-Za-z_.,])([0-9]{1,40})\.([0-9]{1,400})(?:[eE]([-+]?[0-9]{1,3}))?(?![0-9A-Za-z_.])"
)


def cut_numbers(text: str, cleaning: Cleaning) -> str:
    """`text` with long decimals cut. The place of what was cut becomes blanks before the number, so that
    columns stay under their heads."""

    def cut(match: re.Match[str]) -> str:
        sign, whole, part, power = match.groups()
        value = rounded(whole, part, power)
        if value is None or len(whole.lstrip("0")) + len(part) <= SIGNIFICANT:
            return match.group()
        made = f"{sign or ''}{shortest(value)}"
        if made == match.group() or len(made) > len(match.group()):
            return match.group()
        cleaning.numbers += 1
        before = match.string[match.start() - 1 : match.start()]
        return made.rjust(len(match.group())) if before == " " else made

    return _DECIMAL.sub(cut, text)


def rounded(whole: str, part: str, power: str | None) -> Decimal | None:
    """The number cut to `SIGNIFICANT` digits, whole digits all kept; as many decimals as were printed."""
    try:
        value = Decimal(f"{whole or '0'}.{part or '0'}e{power or '0'}" if part or power else whole or "0")
        if not value:
            return Decimal((0, (0,), -min(len(part), _EVEN)))
        exponent = value.adjusted() - SIGNIFICANT + 1
        if int(value.as_tuple().exponent) >= min(exponent, 0):
            return value
        return value.quantize(Decimal((0, (1,), min(exponent, 0))), rounding=ROUND_HALF_EVEN)
    except (InvalidOperation, ValueError):
        return None


def shortest(value: Decimal) -> str:
    """The number without zeros at its end; with a power of ten where it is very large or small."""
    if not value:
        return "0"
    value = value.normalize()
    if -7 <= value.adjusted() <= 30:
        return format(value, "f")
    digits = value.as_tuple().digits
    tail = "".join(map(str, digits[1:]))
    sign = "-" if value.is_signed() else ""
    return f"{sign}{digits[0]}{'.' + tail if tail else ''}e{value.adjusted():+03d}"


_NUMBER = re.compile(
    r"(?P<before>[(\[]?[-+−]?)(?P<whole>[0-9]{0,40})(?:(?P<mark>[.,])(?P<part>[0-9]{0,400}))?"
    r"(?:[eE](?P<power>[-+]?[0-9]{1,3}))?(?P<after>[)\]]? ?%?[)\]]?[*†]{0,4})"
)
_STARTS = frozenset("0123456789.,-+−([")
_THOUSANDS = re.compile(r"[-+−(\[]{0,2}[1-9][0-9]{0,2},[0-9]{3}[)\]%*† ]*")


@dataclass(frozen=True, slots=True)
class _Number:
    row: int
    before: str
    value: Decimal
    mark: str
    after: str

    @property
    def decimals(self) -> int:
        return max(0, -int(self.value.as_tuple().exponent))


def fix_numbers(rows: list[list[str]], cleaning: Cleaning) -> None:
    """Give the decimal numbers of each column one form, in place.

    A column whose numbers all have as many decimals stays as it is. In any other column the zeros at the
    ends of decimals, which say nothing to a reader, go (5.0 keeps one). Whole numbers and labels stay.
    """
    for column in range(max((len(row) for row in rows), default=0)):
        found = []
        for at, row in enumerate(rows):
            cell = row[column] if column < len(row) else ""
            if not cell or len(cell) > 450:
                continue
            number = _number(at, cell)
            if isinstance(number, _Number):
                found.append(number)
            elif not number and "." in cell:
                row[column] = cut_numbers(cell, cleaning).strip()
        if found:
            _fix_column(rows, column, found, cleaning)


def _number(row: int, cell: str) -> _Number | bool:
    """The decimal number in a cell; True for a whole number, False for anything else."""
    if cell.isdigit():
        return True
    if cell[0] not in _STARTS:
        return False
    match = _NUMBER.fullmatch(cell)
    if match is None or not (match["whole"] or match["part"]):
        return False
    if (match["mark"] is None and match["power"] is None) or ("," in cell and _THOUSANDS.fullmatch(cell)):
        return True
    value = rounded(match["whole"], match["part"] or "", match["power"])
    if value is None:
        return False
    return _Number(row, match["before"], value, match["mark"] or ".", match["after"])


def _fix_column(rows: list[list[str]], column: int, found: list[_Number], cleaning: Cleaning) -> None:
    """Write the numbers of a column back; those printed in one form stay as they are."""
    even = len({number.decimals for number in found}) == 1 and found[0].decimals <= _EVEN
    even = even and all(-8 < number.value.adjusted() < 30 for number in found)
    for number in found:
        text = format(number.value, "f") if even else shortest(number.value)
        if "." not in text and "e" not in text and number.decimals:
            text += ".0"
        made = f"{number.before}{text.replace('.', number.mark)}{number.after}"
        if number.mark == "," and _THOUSANDS.fullmatch(
            made
        ):  # "1,2340" cut to "1,234" would read as a thousand
            continue
        if made != rows[number.row][column]:
            rows[number.row][column] = made
            cleaning.numbers += 1
