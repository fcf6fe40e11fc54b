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
from hub.extraction.buckets import BUCKET, coarse
from hub.extraction.keys import keyed_order, unit_order

STRATUM = " stratum"  # no variable can be called this
_SIZE, _RANK, _ORDER, _PLACE, _COARSE = " size", " rank", " order", " place", " coarse"


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
    """The drawn ones of these distinct units: rows of key columns, with STRATUM where `sample.per` is, and
    with BUCKET where the source lies in buckets. The order is that of the units' HMACs; in buckets it is
    first that of the (coarse) buckets' HMACs, so that few of them need to be read."""
    names = [name for name in units.columns if name not in (STRATUM, BUCKET)]
    if sample.per is not None and units.select(names).is_duplicated().any():
        raise Refused(
            "unit_in_several_strata",
            f"A unit has several values of {sample.per}: it has no stratum of its own.",
            f"Une unité a plusieurs valeurs de {sample.per} : elle n’a pas de strate propre.",
            field=f"{field}.per",
        )
    if sample.per is None and BUCKET in units.columns:
        drawn = _from_buckets(units, names, key, limit(sample, units.height, field=field))
    else:
        drawn = _in_order(sample, units, names, key, field)
    if not units.is_empty() and drawn.is_empty():
        raise Refused(
            "sample_too_small",
            "So small a share leaves nobody.",
            "Une part si petite ne laisse personne.",
            field=f"{field}.share",
        )
    return drawn.select(name for name in units.columns if name != STRATUM)


def _in_order(
    sample: PopulationSample, units: pl.DataFrame, names: list[str], key: bytes, field: str
) -> pl.DataFrame:
    order = unit_order(units.select(names), key).alias(_ORDER)
    by = [STRATUM] if sample.per is not None else [pl.lit(0)]
    first = [_PLACE] if BUCKET in units.columns else []
    if first:
        placed = units.with_columns(coarse(pl.col(BUCKET)).alias(_COARSE))
        units = placed.join(_places(units, key), on=_COARSE)
    ranked = (
        units.with_columns(order)
        .sort(*first, _ORDER, *names)
        .with_columns(pl.len().over(by).alias(_SIZE), pl.int_range(pl.len()).over(by).alias(_RANK))
    )
    sizes = ranked[_SIZE].unique().to_list()
    limits = {size: limit(sample, size, field=field) for size in sizes}
    return ranked.filter(pl.col(_RANK) < pl.col(_SIZE).replace_strict(limits, return_dtype=pl.Int64))


def _places(units: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Every coarse bucket of the units with its PLACE in the project's order of buckets."""
    buckets = units.select(coarse(pl.col(BUCKET)).alias(_COARSE)).unique()
    # No text of a unit can be this one: each says its own length first.
    order = keyed_order(buckets.select(pl.format("bucket {}", _COARSE)).to_series(), key)
    return buckets.with_columns(order.alias(_PLACE))


def _from_buckets(units: pl.DataFrame, names: list[str], key: bytes, wanted: int) -> pl.DataFrame:
    """The first `wanted` units: whole buckets, and of the last one so many as are still missing."""
    counted = units.group_by(coarse(pl.col(BUCKET)).alias(_COARSE)).len()
    sizes = counted.join(_places(units, key), on=_COARSE).sort(_PLACE, _COARSE)
    sizes = sizes.with_columns(pl.col("len").cum_sum().alias(_RANK))
    whole = sizes.filter(pl.col(_RANK) <= wanted)
    missing = wanted - int(whole["len"].sum())
    drawn = units.filter(coarse(pl.col(BUCKET)).is_in(whole[_COARSE].implode()))
    if missing == 0:
        return drawn
    last = units.filter(coarse(pl.col(BUCKET)) == sizes[_COARSE][whole.height])
    order = unit_order(last.select(names), key).alias(_ORDER)
    rest = last.with_columns(order).sort(_ORDER, *names).head(missing).select(units.columns)
    return pl.concat([drawn, rest])


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
