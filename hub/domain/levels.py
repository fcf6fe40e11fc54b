"""How finely a variable is delivered, and who may ask for more than the default.

    raw < band < class < group < none        from the finest to the coarsest

A dictionary offers some of them per variable; the coarsest offered is the default. A finer one needs
a reason that somebody can judge. `none` means that the variable is not delivered.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from hub.domain.errors import Refused


class Level(StrEnum):
    RAW = "raw"
    BAND = "band"
    CLASS = "class"
    GROUP = "group"
    NONE = "none"


FINE_TO_COARSE = tuple(Level)


def default_level(offered: Collection[Level]) -> Level:
    """The coarsest of the offered levels (at least one)."""
    return max(offered, key=FINE_TO_COARSE.index)


def choose_level(
    offered: Collection[Level], asked: Level | None, justification: str, *, name: str, field: str
) -> Level:
    """The level at which the variable `name` is delivered; Refused naming the part of `field` at fault.

    Without `asked` it is the default. `unknown_level`: not offered. `justification_needed`: finer than
    the default, and no reason given. `not_delivered`: the level is `none`.
    """
    default = default_level(offered)
    level = default if asked is None else asked
    if level not in offered:
        known = ", ".join(word for word in FINE_TO_COARSE if word in offered)
        raise Refused(
            "unknown_level",
            f"{name} is not offered at the level {level}: {known}.",
            f"{name} n’est pas offerte au niveau {level} : {known}.",
            field=f"{field}.level",
        )
    if level is Level.NONE:
        raise Refused(
            "not_delivered",
            f"{name} is not delivered unless a finer level is asked for, with its reason.",
            f"{name} n’est pas livrée, sauf à demander un niveau plus fin en le justifiant.",
            field=field if asked is None else f"{field}.level",
        )
    if level is not default and not justification.strip():
        raise Refused(
            "justification_needed",
            f"{name} at the level {level} is finer than the default ({default}): say why it is needed.",
            f"{name} au niveau {level} est plus fine que par défaut ({default}) : dites pourquoi il le faut.",
            field=f"{field}.justification",
        )
    return level
