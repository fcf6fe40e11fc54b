"""A Jupyter notebook as plain data, read strictly: what is not understood is malformed."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class MalformedNotebook(ValueError):
    """Not a notebook of format 4; the text says why, without data."""


@dataclass(frozen=True, slots=True)
class Part:
    """One representation of one output: `text` for text, `data` for an image."""

    media_type: str
    text: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a code cell, with each representation that would leave with the file."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `extras` names what it carries beside source and outputs, as (name, JSON text)."""

    kind: str
    source: str
    outputs: tuple[Output, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Notebook:
    """All cells, and what the notebook carries besides, as (name, JSON text)."""

    cells: tuple[Cell, ...]
    extras: tuple[tuple[str, str], ...] = field(default=())


_CELL_KINDS = frozenset({"code", "markdown", "raw"})
_NOTEBOOK_KEYS = frozenset({"cells", "metadata", "nbformat", "nbformat_minor"})
_CELL_KEYS = frozenset({"cell_type", "source", "metadata", "outputs", "execution_count", "id"})
# What JupyterLab itself writes; the rest is shown to the checker.
_USUAL_METADATA = frozenset({"kernelspec", "language_info"})
_USUAL_CELL_METADATA = frozenset({"tags", "collapsed", "scrolled", "trusted", "editable", "deletable"})
_IMAGES = frozenset({"image/png", "image/jpeg"})


def read_notebook(text: str) -> Notebook:
    """The notebook in `text`. Raises `MalformedNotebook`."""
    try:
        raw = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedNotebook("not JSON") from error
    if not isinstance(raw, dict) or raw.get("nbformat") != 4:
        raise MalformedNotebook("not format 4")
    cells = raw.get("cells")
    metadata = raw.get("metadata", {})
    if not isinstance(cells, list) or not isinstance(metadata, dict):
        raise MalformedNotebook("no cells")
    extras = _extras(raw, _NOTEBOOK_KEYS) + _extras(metadata, _USUAL_METADATA, "metadata.")
    for name in _USUAL_METADATA & set(metadata):
        # A kernel's own description is a few lines; more than that is not one.
        if len(_dump(metadata[name])) > 1_000:
            extras += ((f"metadata.{name}", _dump(metadata[name])),)
    return Notebook(tuple(_cell(cell) for cell in cells), extras)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _dump(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, indent=1)
    except RecursionError as error:
        raise MalformedNotebook("nested too deep") from error


def _extras(raw: Mapping[str, Any], usual: frozenset[str], prefix: str = "") -> tuple[tuple[str, str], ...]:
    return tuple((f"{prefix}{key}", _dump(value)) for key, value in raw.items() if key not in usual)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    raise MalformedNotebook("text expected")


def _cell(raw: Any) -> Cell:
    kind = raw.get("cell_type") if isinstance(raw, dict) else None
    if not isinstance(kind, str) or kind not in _CELL_KINDS:
        raise MalformedNotebook("unknown cell")
    metadata = raw.get("metadata", {})
    outputs = raw.get("outputs", [])
    if not isinstance(metadata, dict) or not isinstance(outputs, list):
        raise MalformedNotebook("bad cell")
    extras = _extras(raw, _CELL_KEYS) + _extras(metadata, _USUAL_CELL_METADATA, "metadata.")
    for name in sorted(_USUAL_CELL_METADATA & set(metadata)):
        if len(_dump(metadata[name])) > 200:
            extras += ((f"metadata.{name}", _dump(metadata[name])),)
    if not isinstance(raw.get("id", ""), str) or len(raw.get("id", "")) > 64:
        extras += (("id", _dump(raw["id"])),)
    if not isinstance(raw.get("execution_count"), int | None):
        extras += (("execution_count", _dump(raw["execution_count"])),)
    return Cell(kind, _text(raw.get("source", "")), tuple(_output(o) for o in outputs), extras)


def _output(raw: Any) -> Output:
    kind = raw.get("output_type") if isinstance(raw, dict) else None
    if kind == "stream":
        known = {"output_type", "name", "text"}
        parts = [Part("text/plain", _text(raw.get("text", "")))]
    elif kind == "error":
        known = {"output_type", "ename", "evalue", "traceback"}
        lines = [str(raw.get("ename", "")), str(raw.get("evalue", "")), *_lines(raw.get("traceback", []))]
        parts = [Part("text/plain", "\n".join(lines))]
    elif kind in ("display_data", "execute_result"):
        known = {"output_type", "data", "metadata", "execution_count"}
        data = raw.get("data", {})
        if not isinstance(data, dict):
            raise MalformedNotebook("bad output")
        parts = [_part(name, value) for name, value in data.items()]
        if raw.get("metadata"):
            parts.append(Part("metadata", _dump(raw["metadata"])))
    else:
        raise MalformedNotebook("unknown output")
    parts += [Part(f"output.{name}", value) for name, value in _extras(raw, frozenset(known))]
    return Output(tuple(parts))


def _lines(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise MalformedNotebook("bad traceback")
    return [_text(line) for line in value]


def _part(name: str, value: Any) -> Part:
    if name in _IMAGES:
        try:
            return Part(name, data=base64.b64decode("".join(_text(value).split()), validate=True))
        except (binascii.Error, ValueError) as error:
            raise MalformedNotebook("bad image") from error
    if isinstance(value, dict) or not isinstance(value, str | list):
        return Part(name, _dump(value))
    strings = isinstance(value, str) or all(isinstance(line, str) for line in value)
    return Part(name, _text(value) if strings else _dump(value))
