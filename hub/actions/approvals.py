"""What must be so before a checker may approve: the context is given, every finding is accounted for, and the
office's controls are confirmed. Every way to vote comes through here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.actions.ports import Office, Unit
from hub.actions.releases import JUDGED, to_answer, to_judge
from hub.actions.withholding import Named
from hub.checks.context import CONTEXT_FIELDS, find_missing_context
from hub.domain.errors import Refused
from hub.domain.permissions import Actor
from hub.domain.records import FindingAnswer, Submission, SubmittedFile

_MAX_ANSWER = 2_000


@dataclass(frozen=True)
class Grounds:
    """What a checker gives for an approval.

    `answers`: by file (position) and broken rule, why it is acceptable or does not apply. `judged`: rules
    that leave something to judge, which the checker looked at in every file and found acceptable.
    `confirmed`: the names of the controls of policies/review.yaml that were done. `withheld`: outputs of
    notebooks (file, cell, output) without which the submission is approved; what was found in them needs no
    answer.
    """

    answers: Mapping[tuple[int, str], str] = field(default_factory=dict)
    judged: frozenset[str] = frozenset()
    confirmed: frozenset[str] = frozenset()
    withheld: frozenset[Named] = frozenset()

    def withheld_of(self, file: SubmittedFile) -> frozenset[tuple[int, int]]:
        """The outputs of one file that do not leave."""
        return frozenset((cell, output) for at, cell, output in self.withheld if at == file.position)


NO_GROUNDS = Grounds()


def missing_context(submission: Submission) -> list[str]:
    """Names of the form's fields without which nobody can judge, and which are empty."""
    form = {name: str(value) for name, value in submission.form.items()}
    return [str(found.evidence["name"]) for found in find_missing_context(form)]


def rules_to_judge(files: Sequence[SubmittedFile]) -> list[str]:
    """The rules that left something to judge on any file, in the order of the files."""
    return list(dict.fromkeys(rule for file in files for rule in to_judge(file)))


def account_for(
    office: Office, unit: Unit, submission: Submission, grounds: Grounds, *, by: Actor, now: datetime
) -> tuple[str, ...]:
    """Store the answers of an approval; the controls that were confirmed. Raises Refused, and nothing is
    stored, for the first of these that does not hold:

    1. `context_missing`: the form says what nobody can judge without. 2. `not_releasable`: of every file
    there is something to release. 3. `answer_missing`: each broken rule has its answer. 4. `not_judged`: each
    rule that leaves something to judge was judged. 5. `control_missing`, `unknown_control`: exactly the
    office's controls are confirmed.
    """
    files = sorted(unit.files.find(submission=submission.id), key=lambda f: f.position)
    _require_context(submission)  # (1)
    _require_releasable(files)  # (2)
    made = [
        FindingAnswer(
            f"{submission.id}/{by.username}/{file.position}/{rule}",
            submission.id,
            by.username,
            file.position,
            rule,
            answer,
            now,
        )
        for file in files
        for rule, answer in [*_answers(file, grounds), *_judgements(file, grounds)]  # (3) (4)
    ]
    confirmed = _require_controls(office, grounds.confirmed)  # (5)
    for answer in made:
        if unit.answers.get(answer.id) is None:
            unit.answers.add(answer)
        else:  # of a vote that is cast again, because another withheld other outputs
            unit.answers.save(answer)
    return confirmed


def _require_context(submission: Submission) -> None:
    missing = missing_context(submission)
    if missing:
        french, english = (", ".join(CONTEXT_FIELDS[name][k] for name in missing) for k in (0, 1))
        raise Refused(
            "context_missing",
            f"The description does not say: {english}. Nobody can judge without it, so nothing can be "
            "approved. Return the submission, so that it is filled in.",
            f"La description ne dit pas : {french}. Sans cela, personne ne peut juger et rien ne peut être "
            "approuvé. Renvoyez la soumission pour qu’elle soit complétée.",
            field=missing[0],
        )


def _require_releasable(files: Sequence[SubmittedFile]) -> None:
    for file in files:
        if file.canonical_sha256 is None:
            raise Refused(
                "not_releasable",
                f"“{file.name}” could not be rewritten, so nothing of it can leave: return or reject.",
                f"« {file.name} » n’a pas pu être réécrit, rien n’en peut sortir : renvoyez ou rejetez.",
                field="decision",
            )


def _answers(file: SubmittedFile, grounds: Grounds) -> list[tuple[str, str]]:
    given = []
    for rule in to_answer(file, grounds.withheld_of(file)):
        answer = grounds.answers.get((file.position, rule), "").strip()
        if not answer or len(answer) > _MAX_ANSWER:
            raise Refused(
                "answer_missing",
                f"{file.name}: say why the broken rule “{rule}” does not stand in the way, in at most "
                f"{_MAX_ANSWER} characters, or return the submission.",
                f"{file.name} : dites pourquoi la règle enfreinte « {rule} » n’empêche pas la sortie, en "
                f"{_MAX_ANSWER} caractères au plus, ou renvoyez la soumission.",
                field=f"answer-{file.position}-{rule}",
            )
        given.append((rule, answer))
    return given


def _judgements(file: SubmittedFile, grounds: Grounds) -> list[tuple[str, str]]:
    rules = to_judge(file, grounds.withheld_of(file))
    for rule in rules:
        if rule not in grounds.judged:
            raise Refused(
                "not_judged",
                f"{file.name}: the finding “{rule}” leaves something to judge. Tick that you judged it "
                "acceptable, or return the submission.",
                f"{file.name} : la remarque « {rule} » laisse quelque chose à juger. Cochez que vous l’avez "
                "jugée acceptable, ou renvoyez la soumission.",
                field=f"judged-{rule}",
            )
    return [(rule, JUDGED) for rule in rules]


def _require_controls(office: Office, confirmed: frozenset[str]) -> tuple[str, ...]:
    controls = office.rules.review.controls
    unknown = sorted(confirmed - set(controls))
    if unknown:
        raise Refused(
            "unknown_control",
            "There is no such control.",
            "Ce contrôle n’existe pas.",
            field="controls",
        )
    for name, text in controls.items():
        if name not in confirmed:
            raise Refused(
                "control_missing",
                f"Before approving, this is confirmed: “{text.en}” Tick it, or return the submission.",
                f"Avant d’approuver, ceci se confirme : « {text.fr} » Cochez-le, ou renvoyez la soumission.",
                field=f"control-{name}",
            )
    return tuple(controls)
