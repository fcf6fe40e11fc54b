"""Records of the domain in tables: one generic store, no second description of the fields."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, Generic, TypeVar, get_type_hints

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.exc import IntegrityError as DatabaseIntegrityError

from hub.domain.errors import Conflict, NotFound

T = TypeVar("T")


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(_plain(member) for member in value)  # type: ignore[type-var]  # all strings
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    return value


def _rich(hint: Any, value: Any) -> Any:  # a type hint is any object
    """Parse a stored value into the field's type; an unknown enum member raises ValueError."""
    if value is None:
        return None
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
        origin = typing.get_origin(hint)
    if origin is frozenset:
        (member,) = typing.get_args(hint)
        return frozenset(_rich(member, entry) for entry in value)
    if origin is tuple:
        return tuple(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value


class TableRecords(Generic[T]):
    """`Records[T]` on one table inside one transaction; columns carry the names of T's fields."""

    def __init__(self, connection: Connection, table: Table, kind: type[T]) -> None:
        self._connection = connection
        self._table = table
        self._kind = kind
        self._key = next(iter(table.primary_key.columns))
        self._hints = get_type_hints(kind)

    def _load(self, row: Mapping[str, Any]) -> T:
        return self._kind(**{name: _rich(hint, row[name]) for name, hint in self._hints.items()})

    def _values(self, record: T) -> dict[str, object]:
        return {
            field.name: _plain(getattr(record, field.name))
            for field in dataclasses.fields(record)  # type: ignore[arg-type]  # T is a dataclass
        }

    def get(self, key: str) -> T | None:
        row = self._connection.execute(select(self._table).where(self._key == key)).mappings().first()
        return None if row is None else self._load(dict(row))

    def find(self, **equal: object) -> list[T]:
        query = select(self._table).order_by(self._table.c.row_order)
        for name, value in equal.items():
            query = query.where(self._table.c[name] == _plain(value))
        return [self._load(dict(row)) for row in self._connection.execute(query).mappings()]

    def add(self, record: T) -> None:
        last = self._connection.scalar(select(func.max(self._table.c.row_order))) or 0
        values = self._values(record) | {"row_order": last + 1}
        try:
            with self._connection.begin_nested():
                self._connection.execute(self._table.insert().values(values))
        except DatabaseIntegrityError as error:
            raise Conflict(
                "duplicate", "This already exists.", "Ceci existe déjà.", field=self._key.name
            ) from error

    def save(self, record: T) -> None:
        values = self._values(record)
        key = values.pop(self._key.name)
        done = self._connection.execute(self._table.update().where(self._key == key).values(values))
        if done.rowcount != 1:
            raise NotFound("not_found", "There is no such record.", "Cet enregistrement n’existe pas.")
