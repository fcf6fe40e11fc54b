"""What the server part and the command `submit` share: choosing files, and sentences in two languages.

All of this is courtesy inside the desk. Whoever talks to submit.sock directly meets the same gate, and
the gate and the portal trust nothing that was decided here.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .submit_client import FileChanged, GateLost, GateUnreachable, Outgoing

DECLARATION_SUFFIX = ".spec.json"
DECLARATION_BYTES = 64_000
FORM_FIELDS = ("what", "population", "variables", "counts", "purpose", "note")


class Sentence(NamedTuple):
    """How a refusal reads; {name} stands for the file's name as the person wrote it."""

    status: int
    fr: str
    en: str


SENTENCES: Mapping[str, Sentence] = {
    "gate_unreachable": Sentence(
        503,
        "La passerelle du bureau ne répond pas : rien n’a été transmis. Réessayez dans un instant.",
        "The desk’s gate does not answer: nothing was sent. Try again in a moment.",
    ),
    "gate_lost": Sentence(
        502,
        "Connexion coupée avant la réponse : regardez la liste de vos soumissions avant de recommencer.",
        "The connection broke before the answer: look at the list of your submissions before trying again.",
    ),
    "file_changed": Sentence(
        409,
        "« {name} » a changé pendant l’envoi : rien n’a été soumis. Recommencez quand le fichier est prêt.",
        "“{name}” changed while it was sent: nothing was submitted. Start again when the file is ready.",
    ),
    "bad_request": Sentence(
        400,
        "La demande n’a pas la forme attendue.",
        "The request does not have the expected form.",
    ),
    "no_files": Sentence(400, "Aucun fichier n’a été choisi.", "No file was chosen."),
    "bad_path": Sentence(
        400,
        "« {name} » n’est pas un chemin accepté : donnez-le depuis votre dossier, sans « .. ».",
        "“{name}” is not an accepted path: give it from your folder, without “..”.",
    ),
    "not_found": Sentence(404, "« {name} » n’existe pas.", "“{name}” does not exist."),
    "not_a_file": Sentence(
        400,
        "« {name} » n’est pas un fichier ordinaire.",
        "“{name}” is not a regular file.",
    ),
    "not_readable": Sentence(403, "« {name} » ne peut pas être lu.", "“{name}” cannot be read."),
    "from_data": Sentence(
        403,
        "« {name} » fait partie des données du projet (/data), qui ne sortent pas. Soumettez un résultat.",
        "“{name}” is part of the project’s data (/data), which do not leave. Submit a result.",
    ),
    "outside": Sentence(
        403,
        "« {name} » n’est ni dans votre dossier ni dans le dossier partagé du projet.",
        "“{name}” is neither in your folder nor in the project’s shared folder.",
    ),
    "duplicate_name": Sentence(
        400,
        "Deux fichiers s’appellent « {name} » : renommez-en un.",
        "Two files are called “{name}”: rename one.",
    ),
    "declaration_large": Sentence(
        400,
        "La déclaration jointe à « {name} » est trop longue : refaites-la avec vitrine, ou ôtez-la.",
        "The declaration beside “{name}” is too long: write it again with vitrine, or remove it.",
    ),
    "mending_failed": Sentence(
        500,
        "« {name} » n’a pas pu être refait. Faites-le avec vitrine dans un notebook.",
        "“{name}” could not be made again. Do it with vitrine in a notebook.",
    ),
    "bad_name": Sentence(
        400,
        "Un nom de fichier contient un caractère de contrôle : renommez le fichier.",
        "A file name contains a control character: rename the file.",
    ),
}


class Refused(Exception):
    """A refusal before anything was sent. `code` is a key of SENTENCES; `field` as in the contract."""

    def __init__(self, code: str, name: str = "", field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.name = name
        self.field = field

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return SENTENCES[self.code].status

    def sentence(self, language: str) -> str:
        """What happened, for the person, in `fr` or `en`."""
        sentence = SENTENCES[self.code]
        text = sentence.en if language == "en" else sentence.fr
        return text.format(name=printable(self.name))

    def body(self, language: str) -> dict[str, Any]:
        """The error as docs/architecture.md, section 5, writes it."""
        error = {"code": self.code, "message": self.sentence(language)}
        return {"error": error if self.field is None else {**error, "field": self.field}}


def refusal_of(error: GateUnreachable | GateLost | FileChanged) -> Refused:
    """What the wire says, as a refusal with its sentence."""
    if isinstance(error, FileChanged):
        return Refused("file_changed", error.name, "paths")
    return Refused("gate_unreachable" if isinstance(error, GateUnreachable) else "gate_lost")


def printable(text: str) -> str:
    """`text` without the characters that steer a terminal or hide: controls, formats, line separators."""
    return "".join("\N{REPLACEMENT CHARACTER}" if _steers(character) else character for character in text)


def _steers(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("C") or category in {"Zl", "Zp"}


def choose_language(accepted: str) -> str:
    """`fr` or `en`, whichever an Accept-Language or a locale asks for first; French if neither."""
    weighed: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        if tag[:2].lower() in {"fr", "en"} and weight > 0:
            weighed.append((-weight, tag[:2].lower()))
    return min(weighed, key=lambda pair: pair[0])[1] if weighed else "fr"


@dataclass(frozen=True)
class Places:
    """Where a desk's files are. Submissions come from `home` and `shared`; nothing comes from `data`."""

    home: Path
    shared: Path = Path("/shared")
    data: Path = Path("/data")

    def choose(self, paths: Sequence[str], base: Path | None = None) -> list[Outgoing]:
        """The files behind `paths`, which are relative to `base` (the home unless told).

        Refused with the field `paths[n]` for the first one that may not, or cannot, be submitted.
        A path is judged after links are resolved. With `base`, absolute paths and `..` are allowed
        (a terminal), because the resolved place decides; without, they are refused (a request).
        A declaration (`table.csv.spec.json`) beside a chosen file comes along with it, and is not a file
        of its own then.
        """
        if not paths:
            raise Refused("no_files", field="paths")
        chosen: list[Outgoing] = []
        for index, text in enumerate(paths):
            try:
                chosen.append(self._choose_one(text, base))
            except Refused as refusal:
                refusal.field = f"paths[{index}]"
                raise
            if chosen[-1].name in {file.name for file in chosen[:-1]}:
                raise Refused("duplicate_name", chosen[-1].name, f"paths[{index}]")
        carried = {f"{file.name}{DECLARATION_SUFFIX}" for file in chosen if file.declaration is not None}
        return [file for file in chosen if file.name not in carried]

    def _choose_one(self, text: str, base: Path | None) -> Outgoing:
        if not text or "\0" in text:
            raise Refused("bad_path", text)
        if base is None and (text.startswith("/") or "\\" in text or ".." in text.split("/")):
            raise Refused("bad_path", text)
        try:
            path = ((base or self.home) / text).resolve(strict=True)
            about = path.stat()
        except FileNotFoundError as error:
            raise Refused("not_found", text) from error
        except (OSError, RuntimeError) as error:
            raise Refused("not_readable", text) from error
        self._require_place(path, text)
        if not stat.S_ISREG(about.st_mode):
            raise Refused("not_a_file", text)
        if not os.access(path, os.R_OK):
            raise Refused("not_readable", text)
        name = Path(text).name
        if printable(name) != name:
            raise Refused("bad_name", name)
        return Outgoing(path, name, about.st_size, self._declaration(path, name))

    def _declaration(self, path: Path, name: str) -> bytes | None:
        """What lies beside the file as its declaration; None if there is none or it may not be read."""
        if path.name != name:  # a link: the declaration would name another file
            return None
        beside = path.with_name(path.name + DECLARATION_SUFFIX)
        try:
            handle = os.open(beside, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            return None
        with os.fdopen(handle, "rb") as source:
            content = source.read(DECLARATION_BYTES + 1)
        if len(content) > DECLARATION_BYTES:
            raise Refused("declaration_large", name)
        return content

    def _require_place(self, path: Path, text: str) -> None:
        if path.is_relative_to(self.data.resolve()):
            raise Refused("from_data", text)
        if not any(path.is_relative_to(place.resolve()) for place in (self.home, self.shared)):
            raise Refused("outside", text)
