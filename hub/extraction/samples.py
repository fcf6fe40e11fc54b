"""Samples in a keyed order: the first units by HMAC, so that no list and no seed has to be kept.

A smaller share of the same units lies inside a larger one, another project draws others, and
who does not hold the key cannot tell who is in.
"""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from hub.documents.dictionaries import Dictionary, VariableType
from hub.documents.requests import PopulationSample
from hub.domain.errors import Refused
from hub.extraction.keys import canonical, keyed_order

STRATUM = " stratum"  # no variable can be called this
_SIZE, _RANK, _ORDER = " size", " rank", " order"


def check_sample(sample: PopulationSample, dictionary: Dictionary, *, field: str) -> None:
    """Return only if the source has the strata of `sample`; Refused naming `field` and its part."""
    if sample.per is None:
        return
    variable = dictionary.variables.get(sample.per)
    if variable is None:
        raise Refused(
            "unknown_variable",
            f"The source has no variable {sample.per}.",
            f"La source n’a pas de variable {sample.per}.",
            field=f"{field}.per",
        )
    if not variable.deliverable or variable.type is VariableType.FLOAT:
        raise Refused(
            "no_strata",
            f"{sample.per} is a direct identifier or an amount: no sample can be drawn per value of it.",
            f"{sample.per} est un identifiant direct ou un montant : on ne peut pas tirer "
            "d’échantillon par valeur.",
            field=f"{field}.per",
        )


def draw(sample: PopulationSample, units: pl.DataFrame, key: bytes, *, field: str) -> pl.DataFrame:
    """The drawn ones of these distinct units: rows of key columns, with STRATUM where `sample.per` is."""
    names = [name for name in units.columns if name != STRATUM]
    if sample.per is not None and units.select(names).is_duplicated().any():
        raise Refused(
            "unit_in_several_strata",
            f"A unit has several values of {sample.per}: it has no stratum of its own.",
            f"Une unité a plusieurs valeurs de {sample.per} : elle n’a pas de strate propre.",
            field=f"{field}.per",
        )
    order = keyed_order(canonical(units.select(names)), key).alias(_ORDER)
    by = [STRATUM] if sample.per is not None else [pl.lit(0)]
    ranked = (
        units.with_columns(order)
        .sort(_ORDER, *names)
        .with_columns(pl.len().over(by).alias(_SIZE), pl.int_range(pl.len()).over(by).alias(_RANK))
    )
    sizes = ranked[_SIZE].unique().to_list()
    limits = {size: limit(sample, size, field=field) for size in sizes}
    drawn = ranked.filter(pl.col(_RANK) < pl.col(_SIZE).replace_strict(limits, return_dtype=pl.Int64))
    if sizes and drawn.is_empty():
        raise Refused(
            "sample_too_small",
            "So small a share leaves nobody.",
            "Une part si petite ne laisse personne.",
            field=f"{field}.share",
        )
    return drawn.select(names)


def limit(sample: PopulationSample, size: int, *, field: str) -> int:
    """How many of `size` units are drawn: never more than the share says, so rounded down."""
    if sample.share is not None:
        return int(Fraction(str(sample.share)) * size)  # 0.025 as it was written, not as a double
    count = sample.count or 0
    if count > size:
        raise Refused(
            "sample_too_large",
            "There are fewer units than the sample shall have.",
            "Il y a moins d’unités que l’échantillon n’en doit compter.",
            field=f"{field}.count",
        )
    return count
