"""What was recorded for one request, as a file: documents that a policy asks for, and a decision on a red
risk report. It is what `vitrine extract run --conditions FILE` reads where there is no office."""

from __future__ import annotations

import datetime  # a field is called `date`
from typing import Literal

from pydantic import Field, model_validator

from hub.documents.base import Document, Sparse, bad_value
from hub.documents.dictionaries import Sha256
from hub.documents.policies import ConditionName
from hub.documents.projects import Username
from hub.documents.requests import Line, Sentence


class RecordedDocument(Sparse):
    """One document that meets a condition of `policies/conditions.yaml`: its name or reference and its date;
    `institution` or `person` (by user name) where the condition asks for one of each."""

    condition: ConditionName
    institution: Line | None = None
    person: Username | None = None
    document: Line
    date: datetime.date
    valid_until: datetime.date | None = None

    @model_validator(mode="after")
    def _about_one(self) -> RecordedDocument:
        if self.institution is not None and self.person is not None:
            raise bad_value(
                "a document is about an institution or a person",
                "un document porte sur un institut ou une personne",
            )
        return self

    @property
    def about(self) -> str:
        """The institution or user name that it is for; empty for the project."""
        return self.institution or self.person or ""


class RiskDecision(Document):
    """Why an extract is made over a red risk report, by whom and when; of this plan and no other
    (`plan_sha256`, as `vitrine extract plan` prints it)."""

    plan_sha256: Sha256
    decided_by: Line
    date: datetime.date
    reason: Sentence


class ConditionsRecord(Sparse):
    """All that was recorded for one request."""

    version: Literal[1] = 1
    conditions: tuple[RecordedDocument, ...] = Field(max_length=500)
    risk: RiskDecision | None = None
