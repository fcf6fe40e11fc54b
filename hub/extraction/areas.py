"""Attributes of a unit that is not delivered (a sector, an employer): so coarse that they point to none.

Every combination of values that describes the unit, joined from elsewhere or the dataset's own, must stand
for so many units and so many persons of the source. Until it does, the joined columns are taken one level
coarser; where no coarser level is offered, the request is refused.
"""

from __future__ import annotations

from hub.documents.classes import ClassSchemes
from hub.documents.policies import AreaLimits
from hub.documents.requests import Period
from hub.domain.errors import Refused
from hub.extraction.plans import PlannedDataset
from hub.extraction.sources import Sources


def settle_levels(
    planned: PlannedDataset,
    sources: Sources,
    schemes: ClassSchemes,
    limits: AreaLimits | None,
    period: Period | None,
    *,
    field: str,
) -> PlannedDataset:
    """The dataset with the finest levels of its joined columns that keep the limits."""
    if limits is None:
        raise Refused(
            "no_area_limits",
            "No limits are known for attributes of units that are not delivered.",
            "Aucune limite n’est connue pour les attributs d’unités non livrées.",
            field=field,
        )
    return planned
