"""Samples in a keyed order: the first units by HMAC, so that no list and no seed has to be kept.

A smaller share of the same units lies inside a larger one, another project draws others, and
who does not hold the key cannot tell who is in.
"""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from hub.documents.dictionaries import Dictionary, UnitType, VariableType
from hub.documents.projects import SampleDocument
from hub.domain.errors import Refused
from hub.extraction.keys import canonical, keyed_order, sample_key

_SIZE, _RANK, _ORDER = " size", " rank", " order"  # no variable can be called this


def check_sample(sample: SampleDocument, dictionary: Dictionary) -> None:
    """Return only if the source has the units and strata of `sample`; Refused naming the field."""
    if sample.units == "household" and "household" not in dictionary.unit_types:
        raise Refused(
            "no_households",
            "The source has no unit type household.",
            "La source n’a pas d’unité household.",
            field="extract.sample.units",
        )
    if sample.per is None:
        return
    variable = dictionary.variables.get(sample.per)
    if variable is None:
        raise Refused(
            "unknown_variable",
            f"The source has no variable {sample.per}.",
            f"La source n’a pas de variable {sample.per}.",
            field="extract.sample.per",
        )
    if not variable.deliverable or variable.type is VariableType.FLOAT:
        raise Refused(
            "no_strata",
            f"{sample.per} is a direct identifier or an amount: no sample can be drawn per value of it.",
            f"{sample.per} est un identifiant direct ou un montant : on ne peut pas tirer "
            "d’échantillon par valeur.",
            field="extract.sample.per",
        )


def sampled_unit(sample: SampleDocument, dictionary: Dictionary) -> str:
    """The unit type that is drawn."""
    return "household" if sample.units == "household" else dictionary.record.unit


def draw(
    sample: SampleDocument,
    dictionary: Dictionary,
    *,
    population: pl.LazyFrame,
    source: pl.LazyFrame,
    project: str,
    master_key: bytes,
) -> pl.LazyFrame:
    """The rows of the units drawn from `population`; with `members: all`, their rows in `source`."""
    unit = sampled_unit(sample, dictionary)
    chosen = _chosen(sample, dictionary.unit_types[unit], population, sample_key(master_key, project, unit))
    rows = source if sample.members == "all" else population
    return rows.join(chosen.lazy(), on=dictionary.unit_types[unit].key, how="semi")


def _chosen(
    sample: SampleDocument, unit_type: UnitType, population: pl.LazyFrame, key: bytes
) -> pl.DataFrame:
    """The keys of the units drawn."""
    strata = [] if sample.per is None else [pl.col(sample.per).alias(" stratum")]
    names = list(unit_type.key)
    units = population.select(*names, *strata).unique().collect(engine="streaming")
    if strata and units.select(names).is_duplicated().any():
        raise Refused(
            "unit_in_several_strata",
            f"A unit has several values of {sample.per}: it has no stratum of its own.",
            f"Une unité a plusieurs valeurs de {sample.per} : elle n’a pas de strate propre.",
            field="extract.sample.per",
        )
    order = keyed_order(canonical(units.select(names)), key).alias(_ORDER)
    by = [" stratum"] if strata else [pl.lit(0)]
    ranked = (
        units.with_columns(order)
        .sort(_ORDER, *names)
        .with_columns(pl.len().over(by).alias(_SIZE), pl.int_range(pl.len()).over(by).alias(_RANK))
    )
    sizes = ranked[_SIZE].unique().to_list()
    limits = {size: _limit(sample, size) for size in sizes}
    drawn = ranked.filter(pl.col(_RANK) < pl.col(_SIZE).replace_strict(limits, return_dtype=pl.Int64))
    if sizes and drawn.is_empty():
        raise Refused(
            "sample_too_small",
            "So small a share leaves nobody.",
            "Une part si petite ne laisse personne.",
            field="extract.sample.share",
        )
    return drawn.select(names)


def _limit(sample: SampleDocument, size: int) -> int:
    """How many of `size` units are drawn: never more than the share says, so rounded down."""
    if sample.share is not None:
        return int(Fraction(str(sample.share)) * size)  # 0.025 as it was written, not as a double
    count = sample.count or 0
    if count > size:
        raise Refused(
            "sample_too_large",
            "There are fewer units than the sample shall have.",
            "Il y a moins d’unités que l’échantillon n’en doit compter.",
            field="extract.sample.count",
        )
    return count
