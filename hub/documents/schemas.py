"""JSON Schemas beside the policies, for editors: `python -m hub.documents.schemas [DIRECTORY]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from hub.documents.classes import ClassesFile
from hub.documents.conditions import ConditionsRecord
from hub.documents.dictionaries import Dictionary
from hub.documents.outputs import Declaration
from hub.documents.policies import POLICY_FILES
from hub.documents.projects import ProjectDocument
from hub.documents.requests import RequestDocument

DEFAULT_DIRECTORY = Path("policies/schema")


def schemas() -> dict[str, str]:
    """File name → text of every schema, ending in a newline."""
    models: dict[str, type[BaseModel]] = {
        name.removesuffix(".yaml") + ".json": model for name, model in POLICY_FILES.items()
    }
    models |= {
        "project.json": ProjectDocument,
        "dictionary.json": Dictionary,
        "classes.json": ClassesFile,
        "declaration.json": Declaration,
        "request.json": RequestDocument,
        "recorded-conditions.json": ConditionsRecord,
    }
    return {name: _text(model) for name, model in sorted(models.items())}


def _text(model: type[BaseModel]) -> str:
    schema = model.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write(directory: Path) -> None:
    """Write every schema into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_DIRECTORY)
