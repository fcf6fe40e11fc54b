"""Alembic's entry: runs the migrations on the connection that `hub.adapters.schema` hands over."""

from __future__ import annotations

from typing import Literal

from alembic import context

from hub.adapters.tables import UtcDateTime, metadata


def _render(kind: str, value: object, _context: object) -> str | Literal[False]:
    return "UtcDateTime()" if kind == "type" and isinstance(value, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=_render,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
