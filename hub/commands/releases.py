"""Records of releases, verified by anyone: no platform, no database, no settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from hub.commands import context
from hub.documents.releases import Record
from hub.domain.errors import Refused

release = typer.Typer(help="Releases.", no_args_is_help=True)
_KEY = re.compile(r"[0-9a-f]{64}")


def read_key(text: str) -> str:
    """A public key given as 64 hexadecimal digits or as the name of a file that holds them."""
    if not _KEY.fullmatch(text) and Path(text).is_file():
        text = Path(text).read_text(encoding="ascii", errors="replace").strip()
    if not _KEY.fullmatch(text):
        raise Refused(
            "bad_key",
            "The key is 64 hexadecimal digits, or a file that holds them.",
            "La clé est faite de 64 chiffres hexadécimaux, ou d’un fichier qui les contient.",
            field="key",
        )
    return text


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise Refused(
            "unreadable", f"{path.name} cannot be read.", f"{path.name} ne peut être lu.", field=path.name
        ) from None


@release.command("verify")
def verify(
    record: Annotated[Path, typer.Argument(help="The record (JSON).")],
    files: Annotated[list[Path] | None, typer.Argument(help="Released files, under their names.")] = None,
    key: Annotated[str | None, typer.Option(help="The office's public key: digits or a file.")] = None,
) -> None:
    """Verify a record's signature, and that files are those released. Names what does not hold; exit 1 then,
    2 if it is no record. Without --key the record is compared with the key it names itself."""
    from hub.actions.releases import verify_record
    from hub.adapters.signatures import is_signature

    french = context.language().lower().startswith("fr")
    with context.sentences():
        given = {path.name: _read(path) for path in files or []}
        if len(given) < len(files or []):
            raise Refused(
                "same_name",
                "Two of the files have one name: verify them one after the other.",
                "Deux des fichiers ont le même nom : vérifiez-les l’un après l’autre.",
                field="files",
            )
        trusted = read_key(key) if key is not None else None
        found, faults = verify_record(_read(record), given, key=trusted, is_signature=is_signature)
    for fault in faults:
        context.say(f"{'NON' if french else 'NO'}: {fault.fr if french else fault.en} [{fault.code}]")
    if faults:
        raise typer.Exit(1)
    context.say(_good(found, len(given), french=french))
    if trusted is None:
        context.say(
            f"La clé n’a pas été donnée : comparez {found.key} à celle de l’unité"
            if french
            else f"The key was not given: compare {found.key} with the office's"
        )


def _good(record: Record, given: int, *, french: bool) -> str:
    """What a record says that holds."""
    release_of = record.release
    checkers = ", ".join(sorted(decision.checker for decision in record.decisions))
    number, project, moment = (
        release_of.number,
        release_of.project,
        f"{release_of.released:%Y-%m-%d %H:%M} UTC",
    )
    if french:
        return (
            f"OK : libération {number} du projet {project}, {moment}, décidée par {checkers} ; "
            f"{given} fichier(s) sur {len(record.files)} donné(s) et inchangé(s)"
        )
    return (
        f"OK: release {number} of project {project}, {moment}, decided by {checkers}; "
        f"{given} of {len(record.files)} files given and unchanged"
    )
