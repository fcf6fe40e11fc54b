"""YAML for rules and requests: the plain part of the language, each value with its line.

Refused: duplicate keys (PyYAML keeps the last without a word), keys that are not text, anchors and
aliases (a small file may unfold to gigabytes), tags, several documents, too much text or depth.
Only `true`, `false`, `null`, decimal numbers and text are known: `no`, `on`, `12:30` and
`2026-01-01` are text, so that a country code or a time never becomes something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml as pyyaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from hub.domain.errors import DocumentError

MAX_CHARACTERS = 2_000_000
MAX_DEPTH = 40

Path = tuple[str | int, ...]
Value = dict[str, "Value"] | list["Value"] | str | int | float | bool | None


@dataclass(frozen=True)
class Loaded:
    """A document's plain values, and the line (from 1) of every key and list element by its path."""

    value: dict[str, Value]
    lines: Mapping[Path, int]
    name: str

    def line(self, path: Path) -> int | None:
        """The line of `path`, or of the nearest thing around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


class _Loader(pyyaml.CSafeLoader):
    """SafeLoader that guesses fewer types; parsed by libyaml, ten times as fast as by Python."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$"),
    list("-+0123456789"),
)


def load(text: str, *, name: str) -> Loaded:
    """Read one document whose top is a mapping; `name` is the file's name for messages."""
    if len(text) > MAX_CHARACTERS:
        raise DocumentError(
            "too_long",
            "the document is too long",
            "le document est trop long",
            file=name,
            line=None,
            key=None,
        )
    _refuse_references(text, name)
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    except pyyaml.YAMLError as error:
        raise _syntax(error, name) from None
    except RecursionError:
        raise _too_deep(name, None) from None
    finally:
        loader.dispose()
    if not isinstance(root, MappingNode):
        raise DocumentError(
            "not_a_mapping",
            "the document must consist of keys and values",
            "le document doit se composer de clés et de valeurs",
            file=name,
            line=1,
            key=None,
        )
    lines: dict[Path, int] = {(): _line(root)}
    value = _mapping(root, (), lines, name)
    return Loaded(value=value, lines=lines, name=name)


def _refuse_references(text: str, name: str) -> None:
    """Refuse anchors, aliases, tags, second documents and depth before anything is composed."""
    depth = 0
    documents = 0
    for event in _events(text, name):
        line = None if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, pyyaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise DocumentError(
                    "several_documents",
                    "only one document per file (a second “---” stands here)",
                    "un seul document par fichier (un second « --- » se trouve ici)",
                    file=name,
                    line=line,
                    key=None,
                )
        elif isinstance(event, pyyaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise DocumentError(
                "reference",
                "references (& and *) are not allowed; write the value out",
                "les renvois (& et *) ne sont pas admis ; écrivez la valeur en entier",
                file=name,
                line=line,
                key=None,
            )
        elif getattr(event, "tag", None) is not None:
            raise DocumentError(
                "tag",
                "type tags (!) are not allowed",
                "les étiquettes de type (!) ne sont pas admises",
                file=name,
                line=line,
                key=None,
            )
        if isinstance(event, pyyaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep(name, line)
        elif isinstance(event, pyyaml.CollectionEndEvent):
            depth -= 1


def _events(text: str, name: str) -> Iterator[pyyaml.Event]:
    try:
        yield from pyyaml.parse(text, Loader=_Loader)
    except pyyaml.YAMLError as error:
        raise _syntax(error, name) from None


def _too_deep(name: str, line: int | None) -> DocumentError:
    return DocumentError(
        "too_deep",
        "the document is nested too deeply",
        "le document est trop imbriqué",
        file=name,
        line=line,
        key=None,
    )


def _syntax(error: pyyaml.YAMLError, name: str) -> DocumentError:
    mark = error.problem_mark if isinstance(error, pyyaml.MarkedYAMLError) else None
    return DocumentError(
        "syntax",
        "this is not readable YAML (indentation, quotes or brackets?)",
        "ce YAML n’est pas lisible (indentation, guillemets ou crochets ?)",
        file=name,
        line=None if mark is None else mark.line + 1,
        key=None,
    )


def _line(node: Node) -> int:
    return node.start_mark.line + 1


def _mapping(node: MappingNode, path: Path, lines: dict[Path, int], name: str) -> dict[str, Value]:
    result: dict[str, Value] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, ScalarNode) or key_node.tag != "tag:yaml.org,2002:str":
            raise DocumentError(
                "key_not_text",
                "a key must be text (put quotes around it)",
                "une clé doit être un texte (mettez-la entre guillemets)",
                file=name,
                line=_line(key_node),
                key=dotted(path) or None,
            )
        key = str(key_node.value)
        here = (*path, key)
        if key in result:
            raise DocumentError(
                "duplicate_key",
                f"the key “{dotted(here)}” is given twice (first on line {lines[here]})",
                f"la clé « {dotted(here)} » figure deux fois (d’abord à la ligne {lines[here]})",
                file=name,
                line=_line(key_node),
                key=dotted(here),
            )
        lines[here] = _line(key_node)
        result[key] = _value(value_node, here, lines, name)
    return result


def _value(node: Node, path: Path, lines: dict[Path, int], name: str) -> Value:
    if isinstance(node, MappingNode):
        return _mapping(node, path, lines, name)
    if isinstance(node, SequenceNode):
        elements: list[Value] = []
        for position, child in enumerate(node.value):
            lines[(*path, position)] = _line(child)
            elements.append(_value(child, (*path, position), lines, name))
        return elements
    return _scalar(node, path, name)


def _scalar(node: Node, path: Path, name: str) -> Value:
    text = str(node.value)
    kind = node.tag.rpartition(":")[2]
    if kind == "bool":
        return text == "true"
    if kind == "null":
        return None
    if kind in ("int", "float"):
        # 400 digits are no number of a policy, and Python refuses to parse much longer ones.
        if len(text) > 400 or (kind == "float" and float(text) in (float("inf"), float("-inf"))):
            raise DocumentError(
                "bad_value",
                f"the number of “{dotted(path)}” is too large",
                f"le nombre de « {dotted(path)} » est trop grand",
                file=name,
                line=_line(node),
                key=dotted(path),
            )
        return int(text) if kind == "int" else float(text)
    return text


def dotted(path: Path) -> str:
    """A path as people write it: `extract.columns[2]` (positions from 0)."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


class _Dumper(pyyaml.SafeDumper):
    """Writes what `load` reads back equal: quotes stand exactly where `load` would guess a type."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # PyYAML's signature
        return True


_Dumper.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers
_Dumper.add_multi_representer(dict, _Dumper.represent_dict)


def _represent_text(dumper: _Dumper, text: str) -> ScalarNode:
    """Text; with a next line (U+0085), a line break to YAML, in double quotes, where it is escaped."""
    style = '"' if "\x85" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def dump(value: Value) -> str:
    """`value` as YAML that `load` reads back equal; keys stay in their order."""
    return pyyaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )
