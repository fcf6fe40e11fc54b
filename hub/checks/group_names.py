"""Words that name a group of the extract: a category, or the label of a code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.checks.panels import Panel, fold

_SHORTEST = 3  # letters of a category by which words may name a group
_MOST_CATEGORIES = 400


def names_group(words: Sequence[str], labels: frozenset[str], panels: Sequence[Panel]) -> bool:
    """Whether words are those of a category of the extract that stands in no table."""
    new = {word for word in words if word not in labels}
    if not new:
        return False
    said = f" {' '.join(words)} "
    return any(
        f" {category} " in said and not new.isdisjoint(category.split())
        for panel in panels
        for category in _categories_of(panel)
    )


def _categories_of(panel: Panel) -> Iterator[str]:
    """The categories of variables of words, and the labels of codes."""
    for name in panel.variables:
        kind = panel.part.schema[name]
        if (
            name in panel.units.values()
            or kind.is_nested()
            or (kind.is_numeric() and name not in panel.labels)
        ):
            continue
        known = panel.categories(name)
        if known is not None and len(known.values) <= _MOST_CATEGORIES:
            yield from (
                said for text in known.texts if len(said := fold(text)) >= _SHORTEST and not said.isdigit()
            )
