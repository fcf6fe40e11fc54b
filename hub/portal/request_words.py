"""A request's filters and samples as sentences, for those who decide on them."""

from __future__ import annotations

from typing import Any

from hub.documents.dictionaries import Dictionary
from hub.portal.languages import Words
from hub.portal.request_filters import OPERATORS
from hub.portal.request_forms import sample_of


def filter_in_words(
    condition: Any, words: Words, dictionary: Dictionary | None, *, inner: bool = False
) -> str:
    """`sex est égal à 2 (femme) et wage est supérieur à 1000`; what is no filter is said as it stands."""
    if not isinstance(condition, dict):
        return str(condition)
    for join in ("and", "or"):
        terms = condition.get(join)
        if terms == []:
            return f"({words('request.nothing')})"
        if isinstance(terms, list):
            said = [filter_in_words(term, words, dictionary, inner=True) for term in terms]
            text = f" {words('request.or') if join == 'or' else words('request.and')} ".join(said)
            return f"({text})" if inner and len(said) > 1 else text
    if "not" in condition:
        return f"{words('request.not')} ({filter_in_words(condition['not'], words, dictionary)})"
    operator = str(condition.get("operator", ""))
    said_operator = (
        words(f"request.operator_{OPERATORS.index(operator)}") if operator in OPERATORS else operator
    )
    if operator == "between":
        said_operator = words("request.between_in_words")
    field = str(condition.get("field", ""))
    given = condition.get("values")
    values = [_value(value, field, words, dictionary) for value in given] if isinstance(given, list) else []
    glue = f" {words('request.and')} " if operator == "between" else ", "
    return " ".join(part for part in (field, said_operator, glue.join(values)) if part)


def _value(value: object, field: str, words: Words, dictionary: Dictionary | None) -> str:
    known = dictionary.variables.get(field) if dictionary is not None else None
    labels = {code.value: code.label[words.language] for code in (known.codes or ())} if known else {}
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, float) and words.language == "fr":
        text = text.replace(".", ",")
    label = labels.get(value) if isinstance(value, int | str) else None
    return f"{text} ({label})" if label is not None else text


def sample_in_words(sample: Any, words: Words) -> str:
    """`2,5 % des unités, pour chaque valeur de sex`."""
    shown = sample_of(sample)
    size = shown["size"].replace(".", ",") if words.language == "fr" else shown["size"]
    if shown["kind"] == "share":
        text = words("request.share_in_words", size=size)
    else:
        text = words("request.count_in_words", size=size)
    return f"{text}, {words('request.per_in_words', name=shown['per'])}" if shown["per"] else text
