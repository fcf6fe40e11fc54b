"""The pages' two languages: choosing one, the catalogue of sentences, numbers and dates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from starlette.requests import Request

from hub.documents import yaml
from hub.documents.base import Text
from hub.documents.dictionaries import Variable

LANGUAGES = ("fr", "en")
LABEL_LANGUAGES = (*LANGUAGES, "de")  # dictionaries may have German labels; the pages have none
DEFAULT = "fr"
COOKIE = "vitrine-language"
_FOLDER = Path(__file__).parent / "locales"
_MONTHS = {
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
_NARROW_SPACE, _NO_BREAK_SPACE = "\u202f", "\u00a0"


def choose(request: Request) -> str:
    """The language asked for in the address, else kept in the cookie, else the browser's, else French."""
    for wish in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if wish in LANGUAGES:
            return str(wish)
    return preferred(request.headers.get("accept-language", ""))


def choose_labels(request: Request) -> str:
    """The language in which the texts of dictionaries are read where they have it, chosen alike."""
    for wish in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if wish in LABEL_LANGUAGES:
            return str(wish)
    return preferred(request.headers.get("accept-language", ""), LABEL_LANGUAGES)


def preferred(accept_language: str, offered: tuple[str, ...] = LANGUAGES) -> str:
    """The best of those offered for an Accept-Language header."""
    best, weight = DEFAULT, 0.0
    for part in accept_language.split(","):
        tag, _, quality = part.strip().partition(";q=")
        language = tag[:2].lower()
        try:
            q = float(quality) if quality else 1.0
        except ValueError:
            continue
        if language in offered and q > weight:
            best, weight = language, q
    return best


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every sentence of the pages in `language`, by its key ('home.title')."""
    name = f"{language}.yaml"
    loaded = yaml.load((_FOLDER / name).read_text(encoding="utf-8"), name=name)
    return {
        f"{section}.{key}": str(sentence)
        for section, sentences in loaded.value.items()
        if isinstance(sentences, dict)
        for key, sentence in sentences.items()
    }


class Words:
    """Sentences, numbers and dates in one language."""

    def __init__(self, language: str, labels: str | None = None) -> None:
        self.language = language
        self.labels = labels or language
        self._sentences = catalogue(language)

    def __call__(self, key: str, **values: object) -> str:
        """The sentence `key` with `{names}` filled in; KeyError if there is none.

        With `n`, the key's variant `.one` is taken where there is one and n is singular.
        """
        n = values.get("n")
        if isinstance(n, int | float) and f"{key}_one" in self._sentences and self._singular(n):
            key = f"{key}_one"
        if isinstance(n, int):
            values["n"] = self.number(n)
        return self._sentences[key].format(**values)

    def _singular(self, n: float) -> bool:
        return abs(n) < 2 if self.language == "fr" else n == 1

    def german(self, text: Text) -> bool:
        """Whether a text of a dictionary is shown in German in a page that is not."""
        return self.labels == "de" and text.de is not None

    def label(self, text: Text) -> str:
        """A text of a dictionary in the reader's language, or in the page's where it has not that one."""
        return text[self.labels if self.german(text) else self.language]

    def description(self, variable: Variable) -> tuple[str, str]:
        """A variable's description for this reader, and the language that it is in."""
        said = variable.descriptions
        return variable.described("de" if self.labels == "de" and "de" in said else self.language)

    def has(self, key: str) -> bool:
        return key in self._sentences

    def number(self, value: float, digits: int = 0) -> str:
        """With grouped thousands: 280 005 or 280,005."""
        text = f"{value:,.{digits}f}"
        if self.language == "en":
            return text
        return text.replace(",", _NARROW_SPACE).replace(".", ",")

    def limit(self, value: float) -> str:
        """A limit as people write it: 85, 2012, 0,5. Four digits are not grouped: they may be a year."""
        if isinstance(value, int) and abs(value) >= 10_000:
            return self.number(value)
        text = str(value)
        return text.replace(".", ",") if self.language == "fr" else text

    def size(self, count: int) -> str:
        """Bytes in decimal units: 1,2 Mo or 1.2 MB."""
        byte = "o" if self.language == "fr" else "B"
        if count < 1000:
            return f"{self.number(count)}{_NO_BREAK_SPACE}{'octets' if byte == 'o' else 'bytes'}"
        power = min(int(math.log10(count) // 3), 4)
        scaled = count / 1000**power
        digits = 0 if scaled >= 100 else 1
        return f"{self.number(scaled, digits)}{_NO_BREAK_SPACE}{'kMGT'[power - 1]}{byte}"

    def day(self, moment: datetime) -> str:
        """30 novembre 2026 (in UTC)."""
        return self.calendar_day(moment.astimezone(UTC).date())

    def calendar_day(self, day: date) -> str:
        """30 novembre 2026."""
        return f"{day.day} {self.month(day)}"

    def month(self, day: date) -> str:
        """novembre 2026."""
        return f"{_MONTHS[self.language][day.month - 1]} {day.year}"

    def month_of(self, text: str) -> str:
        """A month of a dictionary (2005-03) in words."""
        return self.month(date.fromisoformat(f"{text}-01"))

    def period(self, first: date, last: date) -> str:
        """From `first` to `last`, as short as it can be said: 2012–2014, or whole months, or days."""
        if first.day != 1 or (last + timedelta(days=1)).day != 1:
            return f"{self.calendar_day(first)} – {self.calendar_day(last)}"
        if first.month != 1 or last.month != 12:
            return (
                self.month(first)
                if self._same_month(first, last)
                else f"{self.month(first)} – {self.month(last)}"
            )
        return str(first.year) if first.year == last.year else f"{first.year}–{last.year}"

    @staticmethod
    def _same_month(first: date, last: date) -> bool:
        return (first.year, first.month) == (last.year, last.month)

    def moment(self, moment: datetime) -> str:
        """30 novembre 2026, 17:00 UTC."""
        return f"{self.day(moment)}, {moment.astimezone(UTC):%H:%M} UTC"

    def instant(self, moment: datetime) -> str:
        """2026-11-30 17:00:05 UTC, as logs have it."""
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
