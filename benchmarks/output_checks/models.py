"""Summaries of models as statsmodels prints them: those that may leave, and those that may not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

import pandas as pd
import statsmodels.formula.api as smf

from benchmarks.output_checks.by_pandas import Write, made_by, notebook, text
from benchmarks.output_checks.cases import File, Make
from benchmarks.output_checks.queries import Rows

_FORMS = ("txt", "txt", "tex", "csv", "ipynb", "md")
_COVARIANCES = ("nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster")


def printed(fitted: Any, chance: Random) -> File:
    """The summary in one of the forms that statsmodels writes."""
    summary, form = fitted.summary(), chance.choice(_FORMS)
    if form == "tex":
        return text("model.tex", summary.as_latex())
    if form == "csv":
        return text("model.csv", summary.as_csv())
    if form == "md":
        return text("report.md", f"# Results\n\n```\n{summary.as_text()}\n```\n")
    if form == "ipynb":
        data = {
            "text/plain": f'<class \'statsmodels.iolib.summary.Summary\'>\n"""\n{summary.as_text()}\n"""',
            "text/html": summary.as_html(),
            "text/latex": summary.as_latex(),
        }
        output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
        return notebook(output, source="fit.summary()")
    return text("model.txt", summary.as_text())


def whole(rows: Rows, *names: str) -> pd.DataFrame:
    """All rows of the panel that have a value of these variables, with their units."""
    wanted = dict.fromkeys([*rows.panel.units.values(), *names])
    return rows.panel.frame.select(list(wanted)).to_pandas().dropna(subset=list(names)).reset_index(drop=True)


def fewest(rows: Rows, frame: pd.DataFrame, by: str) -> int:
    """The fewest units of a level."""
    return int(min(frame.groupby(by)[unit].nunique().min() for unit in rows.panel.units.values()))


def binary_of(rows: Rows) -> str | None:
    names = [name for name in rows.panel.binaries if name not in (rows.one, rows.panel.age)]
    return names[0] if names else None


def declared(rows: Rows, model: str, outcome: str, *, factor: bool = True, **more: Any) -> dict[str, Any]:
    """What an honest researcher says of `outcome ~ C(one) + age`."""
    terms: list[dict[str, Any]] = [{"variables": [rows.panel.age]}]
    if factor:
        terms.insert(0, {"variables": [rows.one], "categorical": [rows.one]})
    return {
        "kind": "regression",
        "table": "units",
        "model": model,
        "outcome": outcome,
        "terms": terms,
        **more,
    }


def _suits(rows: Rows, frame: pd.DataFrame) -> bool:
    levels = frame[rows.one].nunique()
    return bool(
        rows.panel.age not in (rows.one, rows.of)
        and 2 <= levels <= 20
        and fewest(rows, frame, rows.one) >= 10
        and frame[rows.of].nunique() >= 10
    )


def robust(rows: Rows, chance: Random) -> File | None:
    age = rows.panel.age
    frame = whole(rows, rows.one, rows.of, age)
    if not _suits(rows, frame):
        return None
    covariance = chance.choice(_COVARIANCES)
    kind = chance.choice(list(rows.panel.units))
    groups = {"cov_kwds": {"groups": pd.factorize(frame[rows.panel.units[kind]])[0]}}
    more = groups if covariance == "cluster" else {}
    fitted = smf.ols(f"{rows.of} ~ C({rows.one}) + {age}", frame).fit(cov_type=covariance, **more)
    cluster = {"cluster": kind} if covariance == "cluster" else {}
    file = printed(fitted, chance)
    output = declared(rows, "ols", rows.of, covariance=covariance, **cluster)
    return File(file.name, file.content, output)


def binary(rows: Rows, chance: Random) -> File | None:
    outcome, age = binary_of(rows), rows.panel.age
    if outcome is None or rows.one == age:
        return None
    frame = whole(rows, outcome, age)
    if min(frame.groupby(outcome)[rows.panel.person].nunique()) < 100:
        return None
    kind = chance.choice(["logit", "probit"])
    fitted = getattr(smf, kind)(f"{outcome} ~ {age}", frame).fit(disp=0)
    file = printed(fitted, chance)
    return File(file.name, file.content, declared(rows, kind, outcome, factor=False))


def part(rows: Rows, chance: Random) -> File | None:
    """Of the rows that a filter over two variables leaves."""
    age = rows.panel.age
    frame = whole(rows, rows.one, rows.two, rows.of, age)
    if rows.two in (rows.of, rows.one, age):
        return None
    value = chance.choice(sorted(frame[rows.two].unique()))
    middle = float(frame[age].quantile(0.7))
    kept = frame[(frame[rows.two] == value) & (frame[age] <= middle)]
    if len(kept) < 100 or not _suits(rows, kept):
        return None
    plain = value.item() if hasattr(value, "item") else value
    where = {
        "and": [
            {"field": rows.two, "operator": "==", "values": [plain]},
            {"field": age, "operator": "<=", "values": [middle]},
        ]
    }
    file = printed(smf.ols(f"{rows.of} ~ C({rows.one}) + {age}", kept).fit(), chance)
    return File(file.name, file.content, declared(rows, "ols", rows.of, where=where))


def coefficients(rows: Rows, chance: Random) -> File | None:
    """The middle of a summary alone."""
    del chance
    frame = whole(rows, rows.one, rows.of, rows.panel.age)
    if not _suits(rows, frame):
        return None
    fitted = smf.ols(f"{rows.of} ~ C({rows.one}) + {rows.panel.age}", frame).fit()
    file = text("coefficients.txt", fitted.summary().tables[1].as_text())
    return File(file.name, file.content, declared(rows, "ols", rows.of))


def one_person(rows: Rows, chance: Random) -> File | None:
    """A dummy for one person."""
    frame = whole(rows, rows.of, rows.panel.age)
    person = chance.choice(list(frame[rows.panel.person].unique()))
    frame = frame.assign(special=(frame[rows.panel.person] == person).astype(int))
    return printed(smf.ols(f"{rows.of} ~ {rows.panel.age} + special", frame).fit(), chance)


def saturated(rows: Rows, chance: Random) -> File | None:
    """A coefficient for each cell of two groupings, of which some have a few units."""
    frame = rows.frame
    units = rows.units()
    full = frame[rows.one].nunique() * frame[rows.two].nunique() == units.size
    if units.size > 60 or not full or not (units < 10).any() or frame[rows.of].nunique() < 10:
        return None
    return printed(smf.ols(f"{rows.of} ~ C({rows.one}) * C({rows.two})", frame).fit(), chance)


def changed(rows: Rows, chance: Random) -> File | None:
    """One number of a summary says something else: the value of a row."""
    frame = whole(rows, rows.one, rows.of, rows.panel.age)
    if not _suits(rows, frame):
        return None
    file = printed(smf.ols(f"{rows.of} ~ C({rows.one}) + {rows.panel.age}", frame).fit(), chance)
    content = file.content.decode()
    hits = [
        hit for hit in re.finditer(r"(?<![\w.:\[-])\d+\.\d{3,4}(?![\d\]])", content) if len(hit.group()) > 4
    ]
    if not hits:
        return None
    hit = chance.choice(hits)
    digits = list(hit.group())
    at = chance.choice([place for place, one in enumerate(digits) if one.isdigit() and place])
    digits[at] = str((int(digits[at]) + chance.randrange(1, 9)) % 10)
    content = content[: hit.start()] + "".join(digits) + content[hit.end() :]
    return File(file.name, content.encode(), declared(rows, "ols", rows.of))


def few_people(rows: Rows, chance: Random) -> File | None:
    """All rows of a few people."""
    frame = whole(rows, rows.of, rows.panel.age)
    people = chance.sample(sorted(frame[rows.panel.person].unique()), chance.choice([2, 4, 8]))
    kept = frame[frame[rows.panel.person].isin(people)]
    if len(kept) < 14 or kept[rows.of].nunique() < 5 or kept[rows.panel.age].nunique() < 2:
        return None
    return printed(smf.ols(f"{rows.of} ~ {rows.panel.age}", kept).fit(), chance)


def effects(rows: Rows, chance: Random) -> File | None:
    """A fixed effect for each of some persons."""
    person = rows.panel.person
    frame = whole(rows, rows.of, rows.panel.age)
    people = chance.sample(sorted(frame[person].unique()), 15)
    kept = frame[frame[person].isin(people)]
    if len(kept) < 40:
        return None
    return printed(smf.ols(f"{rows.of} ~ C({person}) + {rows.panel.age}", kept).fit(), chance)


def without_two(rows: Rows, chance: Random) -> File | None:
    """The same model twice, once without two persons."""
    frame = whole(rows, rows.of, rows.panel.age)
    out = chance.sample(sorted(frame[rows.panel.person].unique()), 2)
    both = [
        str(smf.ols(f"{rows.of} ~ {rows.panel.age}", one).fit().summary())
        for one in (frame, frame[~frame[rows.panel.person].isin(out)])
    ]
    return text("models.txt", "\n\n".join(both))


def dominated(rows: Rows, chance: Random) -> File | None:
    """Means of groups as coefficients, one of them of an amount that is mostly one unit's."""
    frame = whole(rows, rows.one, rows.of)
    if not 2 <= frame[rows.one].nunique() <= 20 or fewest(rows, frame, rows.one) < 10:
        return None
    amounts = frame.assign(_a=frame[rows.of].abs())
    for unit in rows.panel.units.values():
        sums = amounts.groupby([rows.one, unit])["_a"].sum()
        shares = sums.groupby(level=0).max() / sums.groupby(level=0).sum()
        if (shares > 0.5).any():
            return printed(smf.ols(f"{rows.of} ~ C({rows.one})", frame).fit(), chance)
    return None


_SAFE: Mapping[str, Write] = {
    "robust summary of a model": robust,
    "summary of a binary model": binary,
    "summary of a model of a part": part,
    "coefficients of a summary": coefficients,
}
_UNSAFE: Mapping[str, Write] = {
    "summary with a dummy for one person": one_person,
    "summary of a saturated model": saturated,
    "summary with a changed number": changed,
    "summary of a few people": few_people,
    "summary with effects of persons": effects,
    "summaries that differ by two persons": without_two,
    "summary of dominated means": dominated,
}
SAFE_MODELS: Mapping[str, Make] = {kind: made_by(write) for kind, write in _SAFE.items()}
UNSAFE_MODELS: Mapping[str, Make] = {kind: made_by(write) for kind, write in _UNSAFE.items()}
