"""The risk report of an extract as a document: what was measured, how it is judged, what it means.

Everything in it is aggregated: counts and shares of units, names of tables and columns; never a value, a
pseudonym or a row.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from hub.documents.base import Document, Text

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Light(StrEnum):
    """Amber is shown; red waits for a recorded decision."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


_WORSE = (Light.GREEN, Light.AMBER, Light.RED)


def worst(lights: list[Light]) -> Light:
    """The worst of at least one light."""
    return max(lights, key=_WORSE.index)


class MeasureId(StrEnum):
    """What is measured. The order is that of the report."""

    SAMPLE_K = "sample_k"
    POPULATION_K = "population_k"
    MINIMAL_UNIQUES = "minimal_uniques"
    L_DIVERSITY = "l_diversity"
    POPULATION_L = "population_l"
    HOUSEHOLDS = "households"
    EMPLOYERS = "employers"
    TRAJECTORIES = "trajectories"
    CHARACTERISTICS = "characteristics"
    UNMEASURED = "unmeasured"


class SizeClass(Document):
    """How many units are in groups (or have a size, or so many values) from `lower` to `upper`."""

    lower: Count
    upper: Count | None
    units: Count
    share: Share


class KnownPoints(Document):
    """The share singled out by so many known month-values, with its 95 % interval (Wilson).

    `people` were tried, of those of whom at least so many month-values are delivered.
    """

    known: int = Field(ge=1)
    share: Share
    low: Share
    high: Share
    people: Count


class ColumnShare(Document):
    """Share of the people with a minimal unique to one of whose minimal uniques the column belongs."""

    column: str
    share: Share


class Measure(Document):
    """One measure of one table.

    `figure` is what is judged: a share where `kind` is `share` (more is worse), else a smallest size
    (less is worse); it is null where it could not be measured. `notice` and `decide` are the limits of
    the policy it was judged with. `shares` are further shares of the units, by name.
    """

    id: MeasureId
    table: str
    variable: str | None = None
    unit: Literal["person", "household", "employer"]
    units: Count
    kind: Literal["share", "size"]
    figure: Annotated[float, Field(ge=0)] | None
    notice: float | None
    decide: float | None
    shares: dict[str, Share] = Field(default_factory=dict)
    classes: tuple[SizeClass, ...] = ()
    points: tuple[KnownPoints, ...] = ()
    columns: tuple[ColumnShare, ...] = ()
    light: Light
    meaning: Text
    advice: Text

    @property
    def subject(self) -> str:
        """The table, and the variable where the measure is about one."""
        return self.table if self.variable is None else f"{self.table}.{self.variable}"


class RiskReport(Document):
    """All measures; the light of the whole is the worst of them."""

    version: Literal[1] = 1
    light: Light
    k: int = Field(ge=2)
    measures: tuple[Measure, ...] = Field(min_length=1)

    def to_json(self) -> str:
        """The report as JSON text; `RiskReport.from_json` reads it back unchanged."""
        return self.model_dump_json()

    @classmethod
    def from_json(cls, text: str | bytes) -> RiskReport:
        """The report in `text`; pydantic's ValidationError where it is none."""
        return cls.model_validate_json(text)

    def conclusions(self, language: str) -> tuple[str, ...]:
        """What the requester reads: the judgement of the whole, then what to do about each amber or red
        measure, once per measure and table. No count, no share, no smallest group: nothing of a person."""
        sentences = [_WHOLE[self.light][language]]
        for measure in self.measures:
            if measure.light is not Light.GREEN:
                said = f"{measure.subject}{_COLON[language[:2].lower() == 'fr']} {measure.advice[language]}"
                if said not in sentences:
                    sentences.append(said)
        return tuple(sentences)


_COLON = {True: "\u00a0:", False: ":"}
_WHOLE = {
    Light.GREEN: Text(
        fr="Rien dans ces données ne dépasse les limites du service.",
        en="Nothing in these data is beyond the office’s limits.",
    ),
    Light.AMBER: Text(
        fr="Ces données s’approchent des limites du service ; l’administrateur en tiendra compte.",
        en="These data come close to the office’s limits; the admin will take it into account.",
    ),
    Light.RED: Text(
        fr="Ces données dépassent les limites du service : elles ne seront livrées que sur décision motivée.",
        en="These data are beyond the office’s limits: they will be delivered only by a recorded decision.",
    ),
}
