"""Numbers that are written without digits: words in English, French and German, and signs such as ⑥ or ⁹."""

from __future__ import annotations

import re
import unicodedata

from hub.checks.panels import fold

# "one", "un", "ein" are articles too: only those beside a noun that is counted are taken, by _SINGLE.
_IN_WORDS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand "
    "thousands million millions billion billions dozen dozens sole lone "
    "deux trois quatre cinq sept huit neuf dix onze douze treize quatorze quinze seize vingt vingts trente "
    "quarante cinquante soixante septante huitante octante nonante cent cents mille milliers milliard "
    "milliards dizaine dizaines douzaine vingtaine trentaine centaine centaines seul seule "
    "zwei drei vier funf fuenf sechs sieben acht neun zehn elf zwolf zwoelf dreizehn vierzehn funfzehn "
    "sechzehn siebzehn achtzehn neunzehn zwanzig dreissig dreißig vierzig funfzig sechzig siebzig achtzig "
    "neunzig hundert tausend millionen milliarde milliarden dutzend einzige einziger einziges"
)
_WORDS = frozenset(_IN_WORDS.split())
_SINGLE = re.compile(
    r"\b(?:(?:one|single|only|un|une|ein|eine|einer) (?:\w+ )?(?:persons?|people|individuals?|households?"
    r"|employers?|firms?|wom[ae]n|m[ae]n|workers?|cases?|personnes?|individus?|menages?|employeurs?|femmes?"
    r"|hommes?|haushalte?|betriebe?|frau|mann))\b"
)
_GERMAN = re.compile(
    r"(?:ein|zwei|drei|vier|funf|sechs|sieben|acht|neun)und\w{3,8}(?:zig|ssig)|\w{3,}(?:hundert|tausend)"
)
# "in thousands", "per cent", "two-way": units and kinds of tables, no amounts.
_UNITS = re.compile(
    r"\b(?:(?:in|en|per|par|pour|pro|je) (?:cents?|hundred|thousands?|thousand|mille|milliers|millions?"
    r"|billions?|milliards?|tausend|millionen)(?: d)?|(?:two|three|four) (?:way|digit|sided|dimensional)"
    r"|thousands? (?:of )?(?:euros?|eur|usd|dollars?)|milliers d euros?)\b"
)


def number_words(text: str) -> list[str]:
    """The words and signs of `text` that are numbers without ASCII digits, folded."""
    found = [c for at, c in enumerate(text) if not c.isascii() and _is_number(text, at)]
    plain = _UNITS.sub(" ", fold(text).replace("-", " ").replace("'", " ").replace("’", " "))
    words = re.findall(r"[^\W\d_]+", plain)
    found += [word for word in words if word in _WORDS or _GERMAN.fullmatch(word)]
    return found + _SINGLE.findall(plain)


def _is_number(text: str, at: int) -> bool:
    """Whether a sign is a number; the powers in R² and km³ are none."""
    character = text[at]
    if unicodedata.category(character) not in ("No", "Nl", "Lo") or character.isdecimal():
        return False
    if unicodedata.numeric(character, None) is None:
        return False
    power = character in "²³" and at > 0 and text[at - 1].isalpha()
    return not (power and not text[at + 1 : at + 2].isalnum())
