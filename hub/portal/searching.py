"""Finding variables by words, in every language they have, whatever their accents and capitals."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from hub.documents.dictionaries import Dictionary, Variable

LONGEST = 100  # characters of a search that are looked at


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """`text` without accents and capitals, apostrophes straight."""
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'")).casefold()
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def find(dictionary: Dictionary, words: str) -> Mapping[str, Variable]:
    """The variables in which every one of `words` occurs: the name's own first, then label and
    description, then categories; otherwise in the dictionary's order. Without words: all."""
    wanted = fold(words[:LONGEST]).split()
    if not wanted:
        return dictionary.variables
    ranked = []
    for name, variable in dictionary.variables.items():
        rank = _rank(name, variable, wanted)
        if rank is not None:
            ranked.append((rank, name))
    ranked.sort(key=lambda found: found[0])  # stable: the dictionary's order stays within a rank
    return {name: dictionary.variables[name] for _, name in ranked}


def _rank(name: str, variable: Variable, wanted: list[str]) -> int | None:
    text = fold(name)
    for rank, more in enumerate(("", _description(variable), _categories(variable))):
        text = f"{text}\n{fold(more)}" if more else text
        if all(word in text for word in wanted):
            return rank
    return None


def _description(variable: Variable) -> str:
    return "\n".join((*variable.label.translations().values(), *variable.descriptions.values()))


def _categories(variable: Variable) -> str:
    return "\n".join(said for code in variable.codes or () for said in code.label.translations().values())
