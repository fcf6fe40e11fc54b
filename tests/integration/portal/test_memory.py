"""A submission on a large extract takes little memory of the portal's own process: that is the children's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hub.checks import Verdict, report_from_json
from tests import factories
from tests.integration.portal.stage import Stage

PERSONS = 1_500_000
# A list of so many pseudonyms alone takes 60 million bytes.
MOST_KIB = 40_000
MAKE = """
import sys
import polars as pl
people = pl.DataFrame({"pid": pl.int_range(int(sys.argv[2]), eager=True) * 7 + 3}).with_columns(
    hid=pl.col("pid") // 20, region=(pl.col("pid") * 2654435761) % 1009 % 9 + 1)
people.write_parquet(sys.argv[1] + "/data.parquet")
people.group_by("region").agg(pl.len().alias("n")).sort("region").write_csv(sys.argv[1] + "/../table.csv")
"""


def peak_kib() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def test_the_portal_holds_no_persons_of_a_large_extract(stage: Stage) -> None:
    directory = stage.folder / "extracts" / "wages" / "v1"
    subprocess.run([sys.executable, "-c", MAKE, str(directory), str(PERSONS)], check=True)
    (directory / "manifest.json").write_text(
        '{"pseudonyms": {"columns": {"person": "pid", "household": "hid"}}}'
    )
    content = (directory.parent / "table.csv").read_bytes()
    session = factories.open_session(stage.office).session.id
    Path("/proc/self/clear_refs").write_text("5")  # the peak from here on
    before = peak_kib()
    made = stage.submit(session, ("regions.csv", content))
    stage.approve(made)
    assert peak_kib() - before < MOST_KIB
    with stage.office.units.read() as unit:
        (file,) = unit.files.find(submission=made)
        (kept,) = unit.ledger_files.find(submission=made)
    assert report_from_json(dict(file.report)).verdict is Verdict.PASS
    assert sum(int(str(cell["size"])) for cell in kept.cells) == PERSONS
