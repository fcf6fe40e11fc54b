"""The study of parental leave at the size the tests run it."""

from __future__ import annotations

from pathlib import Path

from hub.documents.policies import AreaLimits
from tests.acceptance.examples import ROOT, Example

PERSONS = 6_000
# The policy's 1,000 persons are for a whole country: as the sample of it, as the limit.
AREAS = AreaLimits(min_areas=3, min_units=100)
STUDY = ROOT / "examples" / "lmp-parental-leave"


def parental_leave(work: Path) -> Example:
    """The study with its generated data, registered in `work`."""
    return Example.generated(STUDY.name, work, "--persons", str(PERSONS), areas=AREAS)
