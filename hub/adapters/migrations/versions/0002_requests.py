"""requests."""

import sqlalchemy as sa
from alembic import op

from hub.adapters.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "assessments",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("asked_by", sa.String(length=200), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("light", sa.String(length=20), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("choice", sa.String(length=20), nullable=True),
        sa.Column("choice_by", sa.String(length=200), nullable=True),
        sa.Column("choice_at", UtcDateTime(), nullable=True),
        sa.Column("choice_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessments")),
    )
    with op.batch_alter_table("assessments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assessments_request"), ["request"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessments_row_order"), ["row_order"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessments_state"), ["state"], unique=False)

    op.create_table(
        "request_conditions",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.String(length=200), nullable=False),
        sa.Column("condition", sa.String(length=40), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("recorded_by", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("file_sha256", sa.String(length=64), nullable=True),
        sa.Column("file_size", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(length=200), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_conditions")),
    )
    with op.batch_alter_table("request_conditions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_conditions_request"), ["request"], unique=False)
        batch_op.create_index(batch_op.f("ix_request_conditions_row_order"), ["row_order"], unique=False)

    op.create_table(
        "request_remarks",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_remarks")),
    )
    with op.batch_alter_table("request_remarks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_remarks_request"), ["request"], unique=False)
        batch_op.create_index(batch_op.f("ix_request_remarks_row_order"), ["row_order"], unique=False)

    op.create_table(
        "request_versions",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("saved_by", sa.String(length=200), nullable=False),
        sa.Column("saved_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_versions")),
    )
    with op.batch_alter_table("request_versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_versions_request"), ["request"], unique=False)
        batch_op.create_index(batch_op.f("ix_request_versions_row_order"), ["row_order"], unique=False)

    op.create_table(
        "requests",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=True),
        sa.Column("decision_comment", sa.Text(), nullable=True),
        sa.Column("approved_version", sa.Integer(), nullable=True),
        sa.Column("approved_sha256", sa.String(length=64), nullable=True),
        sa.Column("project", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
        sa.UniqueConstraint("number", name=op.f("uq_requests_number")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_requests_row_order"), ["row_order"], unique=False)
        batch_op.create_index(batch_op.f("ix_requests_state"), ["state"], unique=False)

    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("request", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("request_sha256", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("destroy_by", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("retain_until", sa.Date(), nullable=True))
        batch_op.create_index(batch_op.f("ix_projects_request"), ["request"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_projects_request"))
        batch_op.drop_column("retain_until")
        batch_op.drop_column("destroy_by")
        batch_op.drop_column("request_sha256")
        batch_op.drop_column("request")

    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_requests_state"))
        batch_op.drop_index(batch_op.f("ix_requests_row_order"))

    op.drop_table("requests")
    with op.batch_alter_table("request_versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_versions_row_order"))
        batch_op.drop_index(batch_op.f("ix_request_versions_request"))

    op.drop_table("request_versions")
    with op.batch_alter_table("request_remarks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_remarks_row_order"))
        batch_op.drop_index(batch_op.f("ix_request_remarks_request"))

    op.drop_table("request_remarks")
    with op.batch_alter_table("request_conditions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_conditions_row_order"))
        batch_op.drop_index(batch_op.f("ix_request_conditions_request"))

    op.drop_table("request_conditions")
    with op.batch_alter_table("assessments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assessments_state"))
        batch_op.drop_index(batch_op.f("ix_assessments_row_order"))
        batch_op.drop_index(batch_op.f("ix_assessments_request"))

    op.drop_table("assessments")
