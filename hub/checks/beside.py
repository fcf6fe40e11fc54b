"""What leaves with a file beside its tables: prose, keys, names of files. A number there is no result that
was made again, and a sentence may say what no number does; people read both."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from hub.checks.contents import Contents
from hub.checks.findings import Finding, Severity
from hub.checks.group_names import names_group
from hub.checks.identifiers import Text
from hub.checks.number_words import number_words
from hub.checks.panels import Panel, fold
from hub.checks.r_forms import Rows
from hub.checks.r_prints import contents_of, without_prints
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of

_NUMBER = re.compile(r"\d(?:[\d .,'’\u00a0\u202f]*\d)?")
# "Table 3" numbers a table where a line, a heading or a caption begins with it, and tables are counted.
_ORDINAL = re.compile(
    r"^(?:[#>*\s]*|\\caption\*?\{)"
    r"(?P<what>tab(?:le|leau|\.)?|fig(?:ure|\.)?|panel|section|abschnitt|tabelle)\s*(?P<number>\d{1,2})\b",
    re.IGNORECASE | re.MULTILINE,
)
_ENVIRONMENT = (
    "table|tabular|tabularx|tabulary|longtable|center|threeparttable|tablenotes|document|figure|minipage|"
    "adjustbox|sidewaystable"
)
_COMMAND = re.compile(
    rf"\\multicolumn\{{\d{{1,2}}\}}\{{[lrcpXSm|@{{}}.\s]*\}}"
    rf"|\\(?:begin|end)\{{(?:{_ENVIRONMENT})\*?\}}(?:\[[htbpcH!]*\]|\{{[lrcpXSm|@{{}}.\s]*\}})*"
    r"|\\(?:hline|toprule|midrule|bottomrule|cline|cmidrule|centering|caption|label|textbf|textit|emph|small"
    r"|footnotesize|scriptsize|tiny|normalsize|multicolumn|multirow|num|tabularnewline|newline|par|noindent"
    r"|documentclass|usepackage|section|subsection|item|textsuperscript|mathrm|addlinespace)\*?(?![a-zA-Z])"
)
# What pandas and polars print below a frame: its name, its type, and how many rows and columns it has.
_FOOT = re.compile(
    r"^\s*(?:(?:Name: (?P<name>[^\W\d]+), )?(?:Length: (?P<length>\d+), )?dtype: [a-z]+(?:8|16|32|64)?"
    r"|\[(?P<rows>\d+) rows x (?P<columns>\d+) columns\]|shape: \((?P<height>\d+), (?P<width>\d+)\))\s*$",
    re.MULTILINE,
)
_COMMENT = re.compile(r"#(?P<comment>.*)$|(?P<quote>\"\"\"|'''|\"|')(?P<string>.*?)(?P=quote)", re.MULTILINE)
# To how many decimals a program prints: no more than its tables have.
_DECIMALS = re.compile(
    r"(?P<call>(?:\.round\(|\bround\([^()\n\d]{1,60}(?:\([^()\n\d]{0,60}\)[^()\n\d]{0,60}){0,2},\s*"
    r"|\bfloat_format\s*=\s*[\"'][{%:]{0,2}\.)\s*)(?P<decimals>[0-6])(?=\)|f[}]?[\"'])"
)
_FIRST_NUMBER = 9
_R_SQUARED = re.compile(
    r"\b(?:R2|R²|R-?squared|R\^2|R\^\{2\})\s*[=:]\s*(?P<share>\d?[.,]\d{1,6})\b", re.IGNORECASE
)
# What stars mean.
_LEGEND = re.compile(
    r"\bp(?:-?values?)?\s*(?:<|&lt;|\\textless\{?\}?)\s*\$?0?[.,](?:1|10|05|01|001)\b", re.IGNORECASE
)
_OVER_COLUMNS = re.compile(
    r"\\multicolumn\{\d{1,2}\}|\\cmidrule(?:\([lr]*\))?\{\d{1,2}-\d{1,2}\}|\\cline\{\d{1,2}-\d{1,2}\}"
)
_PROMPT = re.compile(r"^\s*[.>] (?=\w)")  # of Stata and R
# "N = 2,450", "2 450 observations": how many a table is of.
_COUNTED = r"\d{1,3}(?:[ ,.'’\u00a0\u202f]\d{3})+|\d+"
_SIZE = re.compile(
    rf"(?<![\w.,])(?:n|obs|observations?|effectif|persons?|personnes?)(?: total)?\s*[=:]\s*"
    rf"(?P<before>{_COUNTED})(?![\d.,]*\d)|(?<![\w.,])(?P<after>{_COUNTED})"
    rf"(?= (?:observations?|obs\.?|persons?|people|individuals|personnes|individus"
    rf"|lignes|rows|women|men|femmes|hommes)\b)",
    re.IGNORECASE,
)
_MOST_WORDS = 12  # of a title, a caption or a label
_LONGEST_WORD = 24
_MOST_LINES = 2  # of prose for a file, and for each of its tables

# Words that stand over tables without saying anything of them.
_OVER_TABLES = (
    "table tables tableau tableaux tabelle data donnees daten result results resultats ergebnisse records "
    "rows lignes counts means summary descriptives output outputs values stats statistics by par nach of de "
    "per and et und total"
)
_STRUCTURE = frozenset(_OVER_TABLES.split())
_NAMED_SO = re.compile(
    r"^\d{1,2}(?=[ _-][a-z])|"  # the order of files
    r"(?<![0-9])(?:19|20)\d\d(?:[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?(?:0[1-9]|[12]\d|3[01]))?)?(?![0-9])"  # dates
    r"|(?<![a-z0-9])v\.?\d{1,2}(?:\.\d{1,2})?(?![0-9])|[ _-]\(?\d\)?$"  # versions
    r"|(?<![a-z])(?:tab(?:le|leau|elle)?|fig(?:ure)?|csv|model|modele|sheet|feuil|feuille|p|output|file|out)s?"
    r"[ _.-]?\d{1,2}(?![0-9])"
)


@dataclass(frozen=True)
class Said:
    """What titles and notes may say of the tables and models of a file: the groups that they are restricted
    to, of how many rows and units they are, and how much the models explain."""

    groups: Sequence[str] = ()
    sizes: frozenset[int] = frozenset()
    shares: Sequence[float] = ()


def find_beside(
    contents: Contents,
    shown: Sequence[Table],
    panels: Sequence[Panel],
    restricted: Callable[[str, float], bool] = lambda *_: False,
) -> Iterator[Finding]:
    """`outside_tables` for keys and values that are in none of the tables `shown`, and `numbers_in_name` for
    the names of the files that leave; both REVIEW. `restricted`: whether a table is of the rows with this
    value of a variable, which its name may say."""
    loose = [*contents.loose, *(key for key in contents.keys if not _is_plain_key(key, panels))]
    if loose:
        yield finding("outside_tables", Severity.REVIEW, count=len(loose))
    if any(_tells(name, _words_of(shown), panels, restricted) for name in contents.names):
        yield finding("numbers_in_name", Severity.REVIEW)


def find_in_texts(
    contents: Contents,
    shown: Sequence[Table],
    panels: Sequence[Panel],
    *,
    results: int,
    said: Said | None = None,
) -> Iterator[Finding]:
    """`numbers_in_text` for numbers of the texts that are in none of the tables `shown`, else `words_in_text`
    for what only a person can judge; both REVIEW. `results`: how many tables and models have a title.
    `said`: what titles may say besides."""
    said = said or Said()
    kept = Counter(contents_of(table) for table in shown)
    named = _names_with_numbers(panels)
    read = [
        without_prints(_without_sizes(_without_feet(named.sub(" ", text), shown), said), kept)
        for text in _without_decimals(contents, shown)
    ]
    said_so = [rest for rest, _ in read]
    groups = [digits for one in said.groups for digits in _digits(one)]
    left = sum(_left_in(rest, shown, apart, groups) for rest, apart in read)
    if left:
        yield finding("numbers_in_text", Severity.REVIEW, count=left)
        return
    labels = _words_of(shown) | {word for one in said.groups for word in fold(one).split()}
    programs = {id(text) for text in contents.programs}
    prose = [
        content for text, content in zip(contents.printed, said_so, strict=True) if id(text) not in programs
    ]
    if _says_more(prose, contents.programs, results, labels, panels):
        yield finding("words_in_text", Severity.REVIEW)


def _without_feet(text: str, shown: Sequence[Table]) -> str:
    """The text without the feet of printed frames that say how large a table is that is shown."""
    sizes = {(len(table.rows), len(table.columns)) for table in shown}

    def drop(match: re.Match[str]) -> str:
        length = match["length"] or match["rows"] or match["height"]
        width = match["columns"] or match["width"]
        right = length is None or any(
            rows == int(length) and (width is None or abs(columns - int(width)) <= 1)
            for rows, columns in sizes
        )
        return f" {match['name'] or ''} " if right else match.group()

    return _FOOT.sub(drop, text)


def _without_decimals(contents: Contents, shown: Sequence[Table]) -> Iterator[str]:
    """The texts, programs among them without the decimals to which they round what a table shows: once for
    each table with as many."""
    programs = {id(text) for text in contents.programs}
    left = Counter(str(most) for table in shown if (most := _most_decimals(table)) is not None)

    def drop(match: re.Match[str]) -> str:
        decimals = match["decimals"]
        left[decimals] -= 1
        return match["call"] if left[decimals] >= 0 else match.group()

    for text in contents.printed:
        yield _DECIMALS.sub(drop, text.content) if id(text) in programs else text.content


def _most_decimals(table: Table) -> int | None:
    """The most decimals of a number of the table."""
    found = [
        n.as_tuple().exponent for row in table.rows for cell in row if (n := number_of(cell)) is not None
    ]
    return max((max(0, -one) for one in found if isinstance(one, int)), default=None)


def _names_with_numbers(panels: Sequence[Panel]) -> re.Pattern[str]:
    """The names of variables that have digits, which titles may say."""
    names = {name for panel in panels for name in panel.variables if any(c.isdigit() for c in name)}
    return re.compile(
        rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True))) or '(?!)'})(?!\w)"
    )


def _without_sizes(text: str, said: Said) -> str:
    """The text without what it says of how many rows or units its tables are of, and how much its models
    explain, where that is true."""

    def drop(match: re.Match[str]) -> str:
        number = number_of(match["before"] or match["after"])
        true = number is not None and number == int(number) and int(number) in said.sizes
        return " " if true else match.group()

    def drop_share(match: re.Match[str]) -> str:
        number = number_of(match["share"])
        if number is None:
            return match.group()
        tolerance = 0.5 * 10.0 ** int(number.as_tuple().exponent) * 1.01
        true = any(abs(float(number) - share) <= tolerance for share in said.shares)
        return " " if true else match.group()

    return _R_SQUARED.sub(drop_share, _SIZE.sub(drop, text))


def _left_in(content: str, shown: Sequence[Table], apart: Sequence[Rows], groups: Sequence[str]) -> int:
    """How many numbers of a text are in no table. `apart`: prints that were taken out of it, whose numbers
    stand for no other. `groups`: numbers of the groups that the tables are of."""
    labels = {cell for table in shown for cell in (*table.columns, *(row[0] for row in table.rows))}
    named = {"100", *groups, *(digits for cell in labels for digits in _digits(cell))}  # 100: of an index
    known: Counter[str] = Counter(dict.fromkeys(named, _MOST_LINES * len(shown)))
    for table in shown:
        for row in (table.columns, *table.rows):
            for cell in row:
                known.update(_digits(cell))
    content = _LEGEND.sub(" ", _OVER_COLUMNS.sub(" ", _without_ordinals(content)))
    found = Counter(_digits(content))
    taken = Counter(digits for rows in apart for row in rows for cell in row for digits in _digits(cell))
    return sum((found - (known - taken)).values())


def _without_ordinals(text: str) -> str:
    """The text without the numbers of its tables and figures, where these run 1, 2, 3."""
    seen: dict[str, int] = {}

    def drop(match: re.Match[str]) -> str:
        what, number = match["what"].casefold()[:3], int(match["number"])
        first = what not in seen and number <= _FIRST_NUMBER  # a file may hold one table of a report
        if number == 0 or not (first or number <= seen.get(what, 0) + 1):
            return match.group()
        seen[what] = max(number, seen.get(what, 0))
        return " "

    return _ORDINAL.sub(drop, text)


def _digits(text: str) -> Iterator[str]:
    """Runs of digits: what a number is made of, however it is grouped."""
    for match in _NUMBER.finditer(text):
        yield from re.findall(r"\d+", match.group())


def _words_of(tables: Sequence[Table]) -> frozenset[str]:
    cells = (cell for table in tables for row in (table.columns, *table.rows) for cell in row)
    return frozenset(word for cell in cells for word in fold(cell).split())


def _says_more(
    prose: Sequence[str],
    programs: Sequence[Text],
    results: int,
    labels: frozenset[str],
    panels: Sequence[Panel],
) -> bool:
    """Whether the words beside the tables are more than titles, captions and labels."""
    lines = [line for text in prose for line in _prose_of(text, labels)]
    remarks = [
        (match["comment"] or match["string"] or "").strip()
        for text in programs
        for match in _COMMENT.finditer(text.content)
    ]
    if len({fold(line) for line in lines}) > _MOST_LINES * (1 + results):
        return True
    if any(number_words(text.content) for text in programs):
        return True
    return any(_is_telling(line, labels, panels) for line in [*lines, *remarks])


def _prose_of(text: str, labels: frozenset[str]) -> Iterator[str]:
    """The lines of a text that are no lines of tables."""
    for line in text.splitlines():
        said = _COMMAND.sub(" ", _PROMPT.sub("", line))
        if any(word not in labels and not word.isdigit() for word in fold(said).split()):
            yield said


def _is_telling(line: str, labels: frozenset[str], panels: Sequence[Panel]) -> bool:
    """Whether a line says a number in words, is longer than a title, or names a group of no table."""
    words = fold(line).split()
    own = [word for word in words if word not in labels and not word.isdigit()]
    sentences = len(re.findall(r"[.!?;]\s+\w", re.sub(r"^\W*\w+\s*\d+\s*[.:]", "", line)))
    return (
        bool(number_words(line))
        or len(own) > _MOST_WORDS
        or any(len(word) > _LONGEST_WORD for word in own)
        or sentences > 0
        or names_group(words, labels, panels)
    )


def _is_plain_key(key: str, panels: Sequence[Panel]) -> bool:
    """Whether a key over a table is called after its form or after variables of the extract."""
    words = fold(key).split()
    known = {part for panel in panels for one in panel.variables for part in fold(one).split()}
    return len(words) <= _MOST_WORDS and all(word in _STRUCTURE or word in known for word in words)


def _tells(
    name: str,
    labels: frozenset[str],
    panels: Sequence[Panel],
    restricted: Callable[[str, float], bool],
) -> bool:
    """Whether the name of a file holds a number that is no date and no version, or names a group."""
    stem = PurePosixPath(name).stem
    plain = _NAMED_SO.sub(" ", stem.casefold())
    for one in sorted({one for panel in panels for one in panel.variables}, key=len, reverse=True):
        said = re.compile(rf"(?<![a-z0-9]){re.escape(one.casefold())}[ _=.-]*(?P<value>\d{{1,9}})(?![0-9])")
        for hit in list(said.finditer(plain)):
            if restricted(one, float(hit["value"])):
                plain = plain.replace(hit[0], " ", 1)
        if any(c.isdigit() for c in one):
            plain = plain.replace(one.casefold(), " ")
    if any(c.isdigit() or (c.isnumeric() and not c.isalpha()) for c in plain):
        return True
    # "table-two" numbers tables as "table_2" does; beside a group both are counts.
    counts = any(c.isdigit() for c in stem) or bool(number_words(stem.replace("_", " ")))
    return counts and names_group(fold(stem).split(), labels, panels)
