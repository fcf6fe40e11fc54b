"""What an output file of the evaluation is, and the ways tables are written to files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import polars as pl

from benchmarks.output_checks.panels import Panel


@dataclass(frozen=True)
class Case:
    """One file: its kind, whether it may leave, and what an honest researcher would declare."""

    kind: str
    unsafe: bool
    name: str
    content: bytes
    declaration: Mapping[str, Any] | None = None


@dataclass
class Draw:
    """A panel and the chance by which a kind draws its variants."""

    panel: Panel
    chance: Random

    @property
    def frame(self) -> pl.DataFrame:
        return self.panel.frame

    def group(self, *avoid: str) -> str:
        """A variable to group by."""
        return self.chance.choice([g for g in self.panel.groups if g not in avoid])

    def amount(self) -> str:
        """A variable to average."""
        return self.chance.choice(self.panel.amounts)

    def decimals(self) -> int:
        return self.chance.choice([1, 2, 3, 4])

    def sample(self, rows: int) -> pl.DataFrame:
        """Some rows of the panel."""
        return self.frame.sample(rows, seed=self.chance.randrange(10**6))

    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self.chance.randrange(10**6))


Make = Callable[[Draw], "Table | File | None"]


@dataclass(frozen=True)
class Table:
    """A table before it is written; `declaration` without its file."""

    frame: pl.DataFrame
    output: Mapping[str, Any] | None = None
    name: str = "table"
    formats: tuple[str, ...] = ("csv", "csv", "csv", "semicolon", "tsv", "md", "tex", "json", "ipynb", "txt")


@dataclass(frozen=True)
class File:
    """A file as another program wrote it; `output`: its declaration without its file."""

    name: str
    content: bytes
    output: Mapping[str, Any] | None = None


def units_of(panel: Panel) -> list[pl.Expr]:
    """Expressions that count the distinct units of a group."""
    found = [pl.col(panel.person).n_unique().alias("_persons")]
    if panel.household is not None:
        found.append(pl.col(panel.household).n_unique().alias("_households"))
    return found


def fewest(panel: Panel) -> pl.Expr:
    """The smaller of persons and households, after `units_of`."""
    names = ["_persons"] + (["_households"] if panel.household is not None else [])
    return pl.min_horizontal(names)


def grouped(
    draw: Draw, by: Sequence[str], *more: pl.Expr, of: str | None = None, where: pl.Expr | None = None
) -> pl.DataFrame:
    """One line per group with `_persons`, `_households`, `_top` and `_top2` (shares of persons in |of|)."""
    frame = draw.frame if where is None else draw.frame.filter(where)
    frame = frame.drop_nulls(list(by))
    if of is not None:
        frame = frame.drop_nulls(of)
    table = frame.group_by(list(by)).agg(pl.len().alias("n"), *units_of(draw.panel), *more)
    if of is not None:
        for at, unit in enumerate(draw.panel.units.values()):
            sums = frame.group_by([*by, unit]).agg(pl.col(of).abs().sum().alias("_s"))
            tops = sums.group_by(list(by)).agg(
                (pl.col("_s").top_k(1).sum() / pl.col("_s").sum()).alias(f"_top_{at}"),
                (pl.col("_s").top_k(2).sum() / pl.col("_s").sum()).alias(f"_two_{at}"),
            )
            table = table.join(tops, on=list(by), how="left")
            if by:
                away = (pl.col(of) - pl.col(of).mean().over(list(by))) ** 2
                parts = frame.with_columns(_w=away).group_by([*by, unit]).agg(_d=pl.col("_w").sum())
                most = parts.group_by(list(by)).agg(
                    (pl.col("_d").max() / pl.col("_d").sum()).alias(f"_away_{at}")
                )
                table = table.join(most, on=list(by), how="left")
        table = table.with_columns(
            _top=pl.max_horizontal(pl.col("^_top_.*$")).fill_nan(1.0),
            _two=pl.max_horizontal(pl.col("^_two_.*$")).fill_nan(1.0),
        )
    return table.sort(list(by))


def publishable(draw: Draw, table: pl.DataFrame, least: int = 10) -> pl.DataFrame:
    """The groups that may leave: enough units, and nobody dominates."""
    kept = table.filter(fewest(draw.panel) >= least)
    if "_top" in kept.columns:
        kept = kept.filter((pl.col("_top") <= 0.5) & (pl.col("_two") <= 0.67))
    return kept


def plain(table: pl.DataFrame) -> pl.DataFrame:
    """Without the columns that only the generator needs."""
    return table.drop([name for name in table.columns if name.startswith("_")])


def written(case_kind: str, table: Table | File, draw: Draw, *, unsafe: bool) -> Case:
    """The table in one of its formats, rows sometimes in another order; a file as it is."""
    if isinstance(table, File):
        said = {"version": 1, "file": table.name, "output": dict(table.output)} if table.output else None
        return Case(case_kind, unsafe, table.name, table.content, said)
    frame = plain(table.frame)
    style = draw.chance.choice(table.formats)
    if draw.chance.random() < 0.15 and frame.height > 2 and "csv" in style:
        frame = frame.sample(fraction=1.0, shuffle=True, seed=draw.chance.randrange(1000))
    name, content = WRITERS[style](frame, table.name)
    declaration = {"version": 1, "file": name, "output": dict(table.output)} if table.output else None
    return Case(case_kind, unsafe, name, content.encode(), declaration)


def _csv(frame: pl.DataFrame, name: str) -> tuple[str, str]:
    return f"{name}.csv", frame.write_csv()


def _semicolon(frame: pl.DataFrame, name: str) -> tuple[str, str]:
    return f"{name}.csv", frame.write_csv(separator=";")


def _tsv(frame: pl.DataFrame, name: str) -> tuple[str, str]:
    return f"{name}.tsv", frame.write_csv(separator="\t")


def _rows(frame: pl.DataFrame) -> list[list[str]]:
    return [["" if cell is None else str(cell) for cell in row] for row in frame.rows()]


def _markdown(frame: pl.DataFrame, name: str) -> tuple[str, str]:
    lines = [frame.columns, ["---"] * frame.width, *_rows(frame)]
    return f"{name}.md", "# Results\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _latex(frame: pl.DataFrame, name: str) -> tuple[str, str]:
    lines = [[head.replace("_", "\\_") for head in frame.columns], *_rows(frame)]
    body = "\n".join(" & ".join(line) + r" \\" for line in lines)
    return (
        f"{name}.tex",
        "\\begin{tabular}{" + "l" * frame.width + "}\n\\hline\n" + body + "\n\\hline\n\\end{tabular}\n",
    )


def _json(frame: pl.DataFrame, name: str) -> tuple[str, str]:
    return f"{name}.json", json.dumps(frame.to_dicts())


def _aligned(frame: pl.DataFrame) -> str:
    lines = [[str(at) for at in frame.columns], *_rows(frame)]
    lines = [[cell or "NaN" for cell in line] for line in lines]
    index = ["", *[str(at) for at in range(frame.height)]]
    widths = [max(len(line[at]) for line in lines) for at in range(frame.width)]
    left = max(len(one) for one in index)
    return "\n".join(
        label.ljust(left)
        + "  "
        + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for label, line in zip(index, lines, strict=True)
    )


def _text(frame: pl.DataFrame, name: str) -> tuple[str, str]:
    return f"{name}.txt", _aligned(frame) + "\n"


def _notebook(frame: pl.DataFrame, name: str) -> tuple[str, str]:
    cell = {
        "cell_type": "code", "id": "a1", "metadata": {}, "execution_count": None, "source": "table",
        "outputs": [{"output_type": "execute_result", "execution_count": None, "metadata": {},
                     "data": {"text/plain": _aligned(frame)}}],
    }  # fmt: skip
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python"}}
    return f"{name}.ipynb", json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [cell]}
    )


WRITERS: Mapping[str, Callable[[pl.DataFrame, str], tuple[str, str]]] = {
    "csv": _csv,
    "semicolon": _semicolon,
    "tsv": _tsv,
    "md": _markdown,
    "tex": _latex,
    "json": _json,
    "txt": _text,
    "ipynb": _notebook,
}
