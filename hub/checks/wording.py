"""What heads and labels of printed tables say: statistics, variables, bands, totals, suppressed cells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from hub.checks.counts import bound_of, is_count_head
from hub.checks.panels import Panel, fold
from hub.checks.tables import number_of

_TOTALS = frozenset(
    {"all", "total", "totals", "totaux", "ensemble", "tous", "toutes", "overall", "insgesamt", "alle", "sum",
      "somme", "margin", "whole"}
)  # fmt: skip
_SUPPRESSED = frozenset(
    {"", "s", "c", "x", "*", "**", "..", "...", "-", "–", "—", "z", "[c]", "[x]", "n.d.", "nd", "n/a", "na",
     "suppressed", "supprimé", "supprime", "secret", "redacted", "[redacted]", "nan", "none", "null", "."}
)  # fmt: skip
_MOST_WORDS = 4  # of a label that is a statistic
_MISSING = frozenset({"nan", "na", "none", "null", "missing", "manquant", "<na>", "n a", "nat"})
_STATISTICS: dict[str, str] = {
    **dict.fromkeys(("mean", "means", "average", "avg", "moyenne", "moy", "mittelwert"), "mean"),
    **dict.fromkeys(("sum", "somme", "summe", "aggregate", "masse"), "sum"),
    **dict.fromkeys(("median", "mediane", "med", "p50", "q2", "d5", "q50"), "median"),
    **dict.fromkeys(("sd", "std", "stdev", "stddev", "ecart"), "sd"),
    **dict.fromkeys(("variance", "var", "varianz"), "variance"),
    **dict.fromkeys(("min", "minimum", "lowest", "smallest"), "min"),
    **dict.fromkeys(("max", "maximum", "highest", "largest", "most", "top"), "max"),
    **dict.fromkeys(
        ("share", "shares", "pct", "percent", "percentage", "prop", "proportion", "part", "rate", "taux",
         "perc", "pc", "fraction", "anteil"),
        "share",
    ),
    **dict.fromkeys(("gini",), "gini"),
    **dict.fromkeys(("corr", "correlation"), "correlation"),
    **dict.fromkeys(
        ("persons", "people", "individuals", "personnes", "individus", "workers", "women", "men"), "persons"
    ),
    **dict.fromkeys(("households", "menages", "hh"), "households"),
    **dict.fromkeys(("employers", "firms", "employeurs", "entreprises"), "employers"),
    **dict.fromkeys(
        ("n", "count", "counts", "freq", "frequency", "obs", "nobs", "rows", "effectif", "effectifs", "size",
         "len", "observations", "nombre", "nb", "number", "unweighted"),
        "count",
    ),
}  # fmt: skip
# Words that say more together than one by one.
_INTERVAL = r"(?:(?:ci|ic|ki)(?:90|95|99)?|conf(?:idence)?|bound|borne|limit|95)"
_LOW, _HIGH = (
    r"(?:low(?:er)?|lo|lb|inf(?:erieure?)?|bas)",
    r"(?:high(?:er)?|hi|up(?:per)?|ub|sup(?:erieure?)?|haut)",
)
_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"\b(?:se|sem|stderr|std err(?:or)?|standard errors?|erreurs? types?|erreurs? standards?"
            r"|standardfehler)\b"
        ),
        "se",
    ),
    (re.compile(r"\b(?:standard deviations?|std dev\w*|ecarts? types?|standardabweichung)\b"), "sd"),
    *(
        (
            re.compile(
                rf"\b{_INTERVAL}(?: \d\d?)? ?(?:{side}|{letter})\b"
                rf"|\b{side} {_INTERVAL}(?: \d\d)?\b|^(?:{alone})$"
            ),
            statistic,
        )
        for side, letter, alone, statistic in (
            (_LOW, "l", "lower|lcl|lci|ll", "ci_low"),
            (_HIGH, "[uh]", "upper|ucl|uci|ul", "ci_high"),
        )
    ),
)
_QUANTILE = re.compile(r"(?:p|q|perc|percentile|quantile|centile)?\s?(\d{1,2}(?:[.,]\d+)?)\s?(?:th|e|eme)?")
_QUARTERS = {"q1": 0.25, "q3": 0.75, "1st qu.": 0.25, "3rd qu.": 0.75, "1q": 0.25, "3q": 0.75}
_ENDS = {"0%": "min", "100%": "max", "p0": "min", "p100": "max"}
_NUMBER = r"([-+]?\d+(?:[.,]\d+)?)"
_INTERVALS = (
    (re.compile(rf"([\[(\]])\s*{_NUMBER}\s*[,;]\s*{_NUMBER}\s*([\[\])])"), "brackets"),
    (re.compile(rf"{_NUMBER}\s*(?:-|–|—|to|bis|à|a|_|\.\.)\s*{_NUMBER}"), "range"),
    (re.compile(rf"{_NUMBER}\s*(?:\+|and over|and more|or more|et plus|ou plus|plus)"), "from"),
    (re.compile(rf"(?:≥|>=)\s*{_NUMBER}"), "from"),
    (re.compile(rf"(?:>|over|plus de)\s*{_NUMBER}"), "above"),
    (re.compile(rf"(?:<|under|below|moins de)\s*{_NUMBER}"), "below"),
    (re.compile(rf"(?:≤|<=|up to|jusqu.?[aà])\s*{_NUMBER}"), "upto"),
)

Band = tuple[float, float, bool, bool]  # lower, upper, holds its lower edge, holds its upper edge


@dataclass(frozen=True)
class Hint:
    """What a head says: statistics in the order of the words, a quantile, variables by name or title."""

    statistics: tuple[str, ...] = ()
    quantile: float | None = None
    variables: tuple[str, ...] = ()
    weighted: bool = False

    def __add__(self, other: Hint) -> Hint:
        return Hint(
            tuple(dict.fromkeys((*self.statistics, *other.statistics))),
            self.quantile if self.quantile is not None else other.quantile,
            tuple(dict.fromkeys((*self.variables, *other.variables))),
            self.weighted or other.weighted,
        )


def is_total(text: str) -> bool:
    """Whether a label says "all of them"."""
    words = fold(text).split()
    return bool(words) and words[0] in _TOTALS and len(words) <= 2


def is_suppressed(text: str) -> bool:
    """Whether a cell holds no number: empty, a mark of suppression, "<10"."""
    plain = text.strip().casefold()
    return plain in _SUPPRESSED or bound_of(plain) is not None


def is_missing(text: str) -> bool:
    """Whether a label names the rows without a value."""
    return text.strip().casefold() in _MISSING


def statistic_of(text: str) -> Hint:
    """The statistic a whole text names ("mean", "25%", "p90", "std"); an empty hint when it is none."""
    if (end := _ENDS.get(text.strip().casefold())) is not None:
        return Hint((end,))
    hint = hint_of(text, None)
    if hint.statistics[:1] and hint.statistics[0] in ("se", "ci_low", "ci_high"):
        return hint if len(fold(text).split()) <= _MOST_WORDS else Hint()
    words = [w for w in fold(text).split() if w not in ("type", "dev", "deviation", "standard", "of", "de")]
    known = all(word in _STATISTICS for word in words)
    if hint.quantile is not None or (words and known and hint.statistics):
        return hint
    return Hint()


def quantile_of(text: str) -> float | None:
    """0.25 for "25%", "p25", "Q1", "0.25"; None where it is no quantile."""
    plain = text.strip().casefold().replace("percentile", "p").strip()
    if plain in _QUARTERS:
        return _QUARTERS[plain]
    decile = re.fullmatch(r"d([1-9])", plain)
    if decile:
        return int(decile.group(1)) / 10
    share = re.fullmatch(r"0?[.,](\d{1,3})", plain)
    if share:
        return float("0." + share.group(1))
    percent = re.fullmatch(r"(\d{1,2}(?:\.\d+)?)\s?%", plain) or re.fullmatch(
        r"(?:p|q|perc|centile|p_)\s?(\d{1,2}(?:\.\d+)?)", plain
    )
    if percent is None:
        percent = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th|e|er)?\s?p?", plain) if "th" in plain else None
    value = float(percent.group(1)) / 100 if percent else 0.0
    return value if 0 < value < 1 else None


def hint_of(text: str, panel: Panel | None) -> Hint:
    """What the words of a head say, with the variables of `panel` that they name."""
    if text.startswith("('") and text.endswith("')"):  # a column of several levels, named in one cell
        text = text.strip("()").replace("'", "").replace(", ", " / ")
    variables = _mentioned(text, panel) if panel is not None else ()
    phrase = _phrase_of(fold(text)) if fold(text) not in map(fold, variables) else None
    if phrase is not None:
        return Hint((phrase,), None, variables)
    words = fold(text).split()
    taken = {word for name in variables for word in fold(name).split()} if len(words) > 1 else set()
    statistics = [_STATISTICS[word] for word in words if word in _STATISTICS and word not in taken]
    if "%" in text:
        statistics.append("share")
    if words and words[-1] in ("total",) and not statistics:
        statistics.append("sum")
    if is_count_head(text):
        statistics = [one for one in statistics if one in _UNITS] + ["count"]
    parts = (text, *text.split(), *text.split("_"), *re.split(r"(?<=[^\W\d])\.(?=\d)", text))  # R: wage.25%
    quantile = next((q for part in parts if (q := quantile_of(part))), None)
    if quantile is not None:
        statistics = [one for one in statistics if one != "share"]
        statistics.insert(0, "quantile")
    weighted = any(_WEIGHTED.fullmatch(word) for word in words)
    return Hint(tuple(dict.fromkeys(statistics)), quantile, variables, weighted)


_WEIGHTED = re.compile(r"weighted|wtd|ponder(?:e|es|ee|ees)|gewichtet\w*")
_UNITS = frozenset({"persons", "households", "employers"})


def _phrase_of(plain: str) -> str | None:
    return next((statistic for pattern, statistic in _PHRASES if pattern.search(plain)), None)


def _mentioned(text: str, panel: Panel) -> tuple[str, ...]:
    """Variables whose name, or one of whose titles, stands in the text; the longest names first."""
    plain = f" {fold(text)} "
    found = [
        (len(fold(name)), name)
        for name in panel.variables
        if f" {fold(name)} " in plain
        or any(fold(title) == plain.strip() for title in panel.titles.get(name, ()))
    ]
    found.sort(reverse=True)
    kept: list[str] = []
    left = plain  # of which longer names are taken away: "corr wage ln_wage" names both
    for _, name in found:
        word = f" {fold(name)} "
        if word in left:
            kept.append(name)
            left = left.replace(word, " \0 ")
        elif word not in plain and not any(word in f" {fold(longer)} " for longer in kept):
            kept.append(name)
    return tuple(kept)


def bands_of(labels: Iterable[str]) -> list[tuple[Band, ...]]:
    """The ways to read the labels as disjoint bands of numbers; none when one of them is no band."""
    parsed = [_interval(label) for label in labels]
    if not parsed or any(one is None for one in parsed):
        return []
    given = [one for one in parsed if one is not None]
    readings = []
    for lower, upper in ((True, False), (False, True), (True, True)):
        bands = tuple(
            (lo, hi, lower if closed is None else closed[0], upper if closed is None else closed[1])
            for lo, hi, closed in given
        )
        if _disjoint(bands) and bands not in readings:
            readings.append(bands)
    touching = any(hi == lo for _, hi, _ in given for lo, _, _ in given)
    # "18-24", "25-34": both ends belong to the band, unless the bands touch.
    return readings if touching else readings[::-1]


def _interval(label: str) -> tuple[float, float, tuple[bool, bool] | None] | None:
    text = label.strip().casefold()
    for pattern, kind in _INTERVALS:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        if kind == "brackets":
            low, high = _float(match.group(2)), _float(match.group(3))
            return low, high, (match.group(1) == "[", match.group(4) == "]")
        value = _float(match.group(1))
        if kind == "range":
            return value, _float(match.group(2)), None
        infinity = float("inf")
        return {
            "from": (value, infinity, (True, True)),
            "above": (value, infinity, (False, True)),
            "below": (-infinity, value, (True, False)),
            "upto": (-infinity, value, (True, True)),
        }[kind]
    return None


def _float(text: str) -> float:
    return float(number_of(text) or 0)


def _disjoint(bands: tuple[Band, ...]) -> bool:
    ordered = sorted(bands)
    for (_, high, _, closed), (low, _, opens, _) in pairwise(ordered):
        if high > low or (high == low and closed and opens):
            return False
    return all(low < high or (low == high and a and b) for low, high, a, b in bands)
