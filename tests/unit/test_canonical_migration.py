"""Files submitted before rewriting existed stay released as they were."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from sqlalchemy import text

from hub.adapters import schema
from tests import factories


def test_old_files_are_their_own_canonical_form(tmp_path: Path) -> None:
    office = factories.make_office(tmp_path)
    engine = office.units.engine  # type: ignore[attr-defined]  # SqlUnits
    config = schema.alembic_config()
    with engine.connect().execution_options(vitrine_write=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO submitted_files (id, row_order, submission, position, name, size, sha256, "
                "media_type, report) VALUES ('o1/0', 1, 'o1', 0, 't.csv', 12, :sha256, 'text/csv', '{}')"
            ),
            {"sha256": "c" * 64},
        )
    schema.upgrade(engine)
    with office.units.read() as unit:
        file = unit.files.get("o1/0")
    assert file is not None
    assert (file.canonical_name, file.canonical_size, file.canonical_sha256) == ("t.csv", 12, "c" * 64)
    assert file.changes == []
    assert schema.drift(engine) == []
    engine.dispose()
