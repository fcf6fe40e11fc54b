"""Kinds of output that a machine recognises and a person must judge: plots, maps, transitions, models that
keep observations, shares without a base. Each finding says what the checker has to ask."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from hub.checks.contents import Contents
from hub.checks.findings import Finding
from hub.checks.panels import fold
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.thresholds import Thresholds
from hub.checks.wording import hint_of

_COUNTS = frozenset({"count", "persons", "households", "employers"})
# Names of classes and attributes of scikit-learn, e1071, kernlab, class, caret; and what people call them.
_INSTANCES = re.compile(
    r"support_vectors?_?\b|\bdual_coef_|\bn_support_|\bSV[CR]\s*\(|\bNuSV[CR]\b|\bOneClassSVM\b|\bksvm\b"
    r"|\bsupport vectors?\b|\bvecteurs? (?:de )?support\b|\bKNeighbors\w*|\bNearestNeighbors\b|\bk-?nn\b"
    r"|\bk[- ]nearest|\bplus proches voisins\b|\bGaussianProcess\w*|\bX_train_\b|\b_fit_X\b"
    r"|\bmedoids?\b|\bm[ée]do[iï]des?\b",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"\b(?:next|lag(?:ged)?|lead|previous|prev|from|to|origins?|origines?|destinations?|transitions?|"
    r"t plus 1|t minus 1|t 1|suivante?|precedente?|avant|apres|sequences?|spells?|trajector\w+|trajectoires?|"
    r"parcours)\b"
)
_COORDINATES = re.compile(
    r"(?:lat|lon|lng|long|latitude|longitude|coord|coordinates?|coordonnees|geometry|geometrie|geom|wkt|"
    r"easting|northing|centroid|centroide)(?: [xy12])?"
)
_GEOJSON = re.compile(
    r"\"(?:FeatureCollection|MultiPolygon|MultiPoint|LineString|coordinates)\""
    r"|\b(?:POINT|POLYGON|MULTIPOLYGON)\s*(?:Z\s*)?\(",
)
_AREA = re.compile(
    r"\b(?:regions?|communes?|cantons?|nuts\d?|lau\d?|fips|states?|provinces?|district\w*|arrondissements?|"
    r"municipalit\w+|county|counties|departements?|zip|postcodes?|code postal|zones?|areas?|localites?|"
    r"gemeinde\w*)\b"
)


def find_in_kinds(
    contents: Contents, explained: Collection[Table], thresholds: Thresholds
) -> Iterator[Finding]:
    """One finding for each plot, map, table of transitions, dumped model and table of shares alone.
    `explained`: tables all of whose numbers were made again, which are no transitions."""
    for place, _ in contents.images:
        severity = thresholds.severity("unit_plot")
        yield finding("unit_plot", severity, place, limit=thresholds.min_units)
    for text in contents.printed:
        if hit := _INSTANCES.search(text.content):
            evidence = {"word": hit.group()[:40]}
            yield finding(
                "instance_model", thresholds.severity("instance_model"), text.place, evidence=evidence
            )
    if any(_GEOJSON.search(text.content) for text in (*contents.printed, *contents.raw)):
        yield finding("map", thresholds.severity("map"), limit=thresholds.min_units)
    for table in contents.tables:
        yield from _in_table(table, thresholds, explained=any(table is one for one in explained))


def _in_table(table: Table, thresholds: Thresholds, *, explained: bool) -> Iterator[Finding]:
    limit = thresholds.min_units
    if any(_COORDINATES.fullmatch(fold(head)) for head in table.columns):
        yield finding("map", thresholds.severity("map"), table.place, limit=limit)
    if not explained and is_transition(table):
        yield finding("transition", thresholds.severity("transition"), table.place, limit=limit)
    shares = _shares_alone(table)
    if shares:
        evidence = {"columns": shares[:20]}
        yield finding(
            "share_without_base", thresholds.severity("share_without_base"), table.place, evidence=evidence
        )
    if any(_INSTANCES.search(cell) for row in (table.columns, *table.rows) for cell in row):
        yield finding("instance_model", thresholds.severity("instance_model"), table.place)


def is_transition(table: Table) -> bool:
    """Heads that speak of before and after, or the same states as rows and as columns."""
    if any(_NEXT.search(fold(head)) for head in table.columns):
        return True
    rows, heads = (
        set(map(fold, table.column(0))) if table.columns else set(),
        set(map(fold, table.columns[1:])),
    )
    return len(heads) >= 2 and rows >= heads and any(_is_number(row[1:]) for row in table.rows)


def _is_number(cells: Sequence[str]) -> bool:
    return any(number_of(cell) is not None for cell in cells)


def _shares_alone(table: Table) -> list[str]:
    """Heads of shares, where no head and no label names a count."""
    labels = table.column(0) if table.columns else []
    said = [hint_of(text, None).statistics for text in (*table.columns, *labels)]
    if any(_COUNTS & set(one) for one in said):
        return []
    found = []
    for at, head in enumerate(table.columns):
        cells = table.column(at)
        numeric = any(number_of(cell) is not None for cell in cells)
        if numeric and (
            "share" in hint_of(head, None).statistics or any(c.rstrip().endswith("%") for c in cells)
        ):
            found.append(head[:80])
    return found


def is_area(name: str, titles: Sequence[str]) -> bool:
    """Whether a variable is called as an area is."""
    return any(_AREA.search(fold(text)) for text in (name, *titles))
