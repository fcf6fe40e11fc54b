"""What differs between two documents, by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NAMES = ("name", "variable", "username", "source")


@dataclass(frozen=True)
class Change:
    """One field with its value before and after; None where it was or is not there."""

    field: str
    before: str | None
    after: str | None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every field that was added, removed or changed.

    Elements of lists that have a name (`datasets`, `columns`, `people` …) are compared by it, so that a
    variable put in between is one change and not many.
    """
    old, new = dict(_flat("", before)), dict(_flat("", after))
    fields = [*new, *(field for field in old if field not in new)]
    return [
        Change(field, old.get(field), new.get(field))
        for field in sorted(fields, key=lambda f: _place(f, list(new), list(old)))
        if old.get(field) != new.get(field)
    ]


def _place(field: str, new: list[str], old: list[str]) -> tuple[int, int]:
    return (new.index(field), 0) if field in new else (old.index(field), 1)


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), part)
    elif isinstance(value, list | tuple) and value:
        for position, part in enumerate(value):
            yield from _flat(f"{path}[{_named(part, position)}]", part)
    else:
        yield path, "[]" if isinstance(value, list | tuple) else _shown(value)


def _named(part: object, position: int) -> str:
    if isinstance(part, Mapping):
        for key in _NAMES:
            if isinstance(part.get(key), str):
                return str(part[key])
    return str(part) if isinstance(part, str) and len(part) <= 60 else str(position + 1)


def _shown(value: object) -> str:
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
