"""Extracts from the command line: with the office's database (`work`, `retry`), or of a request alone
(`plan`, `run`), and their maps for the trustee (`map`)."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from hub import extraction
from hub.bootstrap import build_rules
from hub.commands import context
from hub.documents import parse
from hub.documents.conditions import ConditionsRecord
from hub.documents.policies import Policies, load_policies
from hub.documents.requests import RequestDocument
from hub.domain.errors import Refused

extract = typer.Typer(help="Extraction.", no_args_is_help=True)

Request = Annotated[str, typer.Argument(help="The request, YAML file, or - ")]
Warehouse = Annotated[Path | None, typer.Option(help="Folder of sources; by default the office's.")]
PoliciesFolder = Annotated[Path | None, typer.Option(help="Folder of policies; by default the office's.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@extract.command("work")
def work() -> None:
    """Make planned extracts, one after another, until stopped."""
    from hub.sweeper import worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    with context.sentences():
        settings = context.settings()
        policies = load_policies(settings.policies)
        rooms = worker.Rooms(
            warehouse=settings.data / "warehouse",
            extracts=settings.data / "extracts",
            master_key=bytes.fromhex(settings.secret("master.key")),
            schemes=policies.classes,
            areas=policies.risks.areas,
            thresholds=policies.risks.thresholds,
            maps=settings.data / "maps",
            ledger=settings.data / "ledger" / "units",
        )
        worker.work(context.office(), rooms)


@extract.command("retry")
def retry(
    extract_id: str, by: Annotated[str | None, typer.Option("--as", help=context.AS_HELP)] = None
) -> None:
    """Plan a failed extract again."""
    from hub.actions import extracts

    with context.sentences():
        office = context.office()
        extracts.retry_extract(office, extract_id=extract_id, by=context.actor(office, by), now=context.now())
        context.say(f"{extract_id}: PLANNED")


@extract.command("refresh")
def refresh(
    project: str, by: Annotated[str | None, typer.Option("--as", help=context.AS_HELP)] = None
) -> None:
    """Plan the next version of a project's extract, beside the old one, with the same pseudonyms."""
    from hub.actions import extracts

    with context.sentences():
        office = context.office()
        made = extracts.refresh_extract(
            office, project=project, by=context.actor(office, by), now=context.now()
        )
        context.say(f"{made.id}: PLANNED")


@extract.command("renew-pseudonyms")
def renew_pseudonyms(
    *,
    project: Annotated[str, typer.Argument(help="The project’s short name.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the audit log.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: Annotated[str | None, typer.Option("--as", help=context.AS_HELP)] = None,
) -> None:
    """Give a project new pseudonyms and plan its next extract with them; the old map stays for the trustee.

    Files in the desk that carry old pseudonyms no longer link to the new extract.
    """
    from hub.actions import extracts

    with context.sentences():
        if not yes:
            typer.confirm(f"{project}: new pseudonyms, for good?", abort=True)
        office = context.office()
        made = extracts.renew_pseudonyms(
            office, project=project, reason=reason, by=context.actor(office, by), now=context.now()
        )
        context.say(f"{made.id}: PLANNED")


def _folder(warehouse: Path | None) -> Path:
    return context.settings().data / "warehouse" if warehouse is None else warehouse


def _planned(
    document: RequestDocument, warehouse: Path, policies_folder: Path | None
) -> tuple[extraction.ExtractPlan, Policies]:
    policies = load_policies(context.settings().policies if policies_folder is None else policies_folder)
    plan = extraction.plan_extract(
        document.specification,
        project=document.slug,
        policy_fingerprint=policies.fingerprint,
        warehouse=warehouse,
        schemes=policies.classes,
        areas=policies.risks.areas,
        request_sha256=document.digest,
    )
    return plan, policies


def _document(request: str) -> RequestDocument:
    text, name = context.document_text(request)
    return parse(RequestDocument, text, name=name)


@extract.command("plan")
def plan_request(
    *,
    request: Request,
    warehouse: Warehouse = None,
    policies: PoliciesFolder = None,
    estimate: Annotated[bool, typer.Option(help="Also make the tables, and count and measure them.")] = True,
    as_json: AsJson = False,
) -> None:
    """Show what a request would deliver: tables, columns with their levels, rows, units, risk.

    No master key is needed: who is in a sample is drawn with a key that is forgotten at once, so the
    counts of what depends on the sample are estimates.
    """
    with context.sentences():
        plan, rules = _planned(_document(request), _folder(warehouse), policies)
        found = None
        if estimate:
            found = extraction.assess(
                plan,
                warehouse=_folder(warehouse),
                master_key=os.urandom(32),
                thresholds=rules.risks.thresholds,
                schemes=rules.classes,
                areas=rules.risks.areas,
            )
        content = _described(plan, found)
        if as_json:
            context.say(json.dumps(content, ensure_ascii=False))
        else:
            for line in _lines(content):
                context.say(line)


@extract.command("run")
def run_request(
    *,
    request: Request,
    warehouse: Warehouse = None,
    into: Annotated[Path, typer.Option(help="Folder of the extract; it must not exist.")],
    master_key_file: Annotated[Path, typer.Option(help="File with the master key, in hexadecimal.")],
    policies: PoliciesFolder = None,
    maps: Annotated[Path | None, typer.Option(help="File for the encrypted map, …/v1.map.")] = None,
    conditions: Annotated[
        str | None,
        typer.Option(help="YAML file of what was recorded: documents, and a decision on a red report."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the extract of a request, without the office: for the trustee, and for trying one.

    Unless all sources are open data, every condition that the policies list for this kind of request must
    stand in the file of --conditions, with its document and date, and so must a decision where the risk
    report is red. In the office, the same is recorded in the portal.
    """
    with context.sentences():
        document, record, key = _document(request), _record(conditions), _master_key(master_key_file)
        plan, rules = _planned(document, _folder(warehouse), policies)
        _require_allowed(document, plan, rules, _folder(warehouse), record, key)
        manifest = extraction.extract(
            plan,
            warehouse=_folder(warehouse),
            master_key=key,
            into=into,
            now=context.now(),
            schemes=rules.classes,
            areas=rules.risks.areas,
            maps=maps,
            progress=None if as_json else lambda step, share: context.say(f"{step} {share:.0%}"),
        )
        if as_json:
            context.say(json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False))
        else:
            for file in manifest.data:
                context.say(f"{file.dataset}: {file.rows} × {len(file.columns or ())}")
            context.say(f"{into}: manifest {manifest.sha256}")


def _record(file: str | None) -> ConditionsRecord:
    if file is None:
        return ConditionsRecord(conditions=())
    text, name = context.document_text(file)
    return parse(ConditionsRecord, text, name=name)


def _require_allowed(
    request: RequestDocument,
    plan: extraction.ExtractPlan,
    policies: Policies,
    warehouse: Path,
    record: ConditionsRecord,
    master_key: bytes,
) -> None:
    """The gates of law, as `provisioning.require_extractable` has them in an office."""
    from hub.actions.recorded_conditions import require_decided, require_recorded

    sources = {one.name: extraction.load_dictionary(warehouse, one.name) for one in plan.sources}
    if not require_recorded(build_rules(policies), request, record, sources, now=context.now()):
        return
    found = extraction.assess(
        plan,
        warehouse=warehouse,
        master_key=master_key,
        thresholds=policies.risks.thresholds,
        schemes=policies.classes,
        areas=policies.risks.areas,
    )
    require_decided(found.report, record, plan.digest)


def _master_key(file: Path) -> bytes:
    try:
        return bytes.fromhex(file.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        raise Refused(
            "no_master_key",
            "The file of the master key cannot be read, or is not hexadecimal.",
            "Le fichier de la clé maîtresse est illisible ou n’est pas en hexadécimal.",
            field="master-key-file",
        ) from None


@extract.command("map")
def open_map(
    *,
    file: Annotated[Path, typer.Argument(help="The encrypted map, maps/PROJECT/v1.map.")],
    project: Annotated[str, typer.Option(help="The project’s short name.")],
    master_key_file: Annotated[Path, typer.Option(help="File with the master key, in hexadecimal.")],
    into: Annotated[Path, typer.Option(help="CSV file to write, for its owner only; it must not exist.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the office's audit log.")],
    by: Annotated[str | None, typer.Option("--as", help=context.AS_HELP)] = None,
) -> None:
    """Open a project's map for the trustee: which unit has which pseudonym, as CSV. Nothing is printed.

    Columns: what the units are of, their key, their pseudonym. Where there is an office, its audit log says
    that the map was opened, before anything is written.
    """
    from hub.commands import maps

    with context.sentences():
        maps.open_for_trustee(
            file, project=project, master_key=_master_key(master_key_file), into=into, reason=reason, by=by
        )


def _described(plan: extraction.ExtractPlan, found: extraction.Assessment | None) -> dict[str, Any]:
    content: dict[str, Any] = {
        "project": plan.project,
        "plan_sha256": plan.digest,
        "request_sha256": plan.request_sha256,
        "sources": {source.name: source.rows for source in plan.sources},
        "datasets": [
            {
                "name": dataset.name,
                "source": dataset.source,
                "units": list(dataset.units),
                "rows": None if found is None else found.rows[dataset.name],
                "columns": {column.name: column.level.value for column in dataset.all_columns},
                "asked": {
                    column.name: column.asked.value
                    for column in dataset.all_columns
                    if column.asked is not None
                },
                "withheld": [name for part in dataset.through for name in part.withheld],
            }
            for dataset in plan.datasets
        ],
    }
    if found is not None:
        content["populations"] = {
            name: {"drawn": one.drawn, "of": one.of} for name, one in found.populations.items()
        }
        content["light"] = found.report.light.value
        content["conclusions"] = list(found.report.conclusions(context.language()))
    return content


def _lines(content: dict[str, Any]) -> list[str]:
    lines = [f"project {content['project']}, plan {content['plan_sha256'][:12]}"]
    lines += [f"source {name}: {rows} rows" for name, rows in content["sources"].items()]
    lines += [
        f"population {name}: {one['drawn']} of {one['of']} units"
        for name, one in content.get("populations", {}).items()
    ]
    for dataset in content["datasets"]:
        rows = "" if dataset["rows"] is None else f", {dataset['rows']} rows"
        lines.append(f"dataset {dataset['name']} of {dataset['source']}: {', '.join(dataset['units'])}{rows}")
        for name, level in dataset["columns"].items():
            asked = dataset["asked"].get(name)
            lines.append(f"    {name}: {level}" + (f" (asked for: {asked})" if asked is not None else ""))
        lines += [f"    {name}: withheld" for name in dataset["withheld"]]
    if "light" in content:
        lines.append(f"risk: {content['light']}")
        lines += [f"    {sentence}" for sentence in content["conclusions"]]
    return lines
