"""output checking: ledger, answers, records of releases, comments, publications."""

import sqlalchemy as sa
from alembic import op

from hub.adapters.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_files",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("submission", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("space", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_files")),
    )
    op.create_index(op.f("ix_ledger_files_row_order"), "ledger_files", ["row_order"], unique=False)
    op.create_index(op.f("ix_ledger_files_submission"), "ledger_files", ["submission"], unique=False)
    op.create_index(op.f("ix_ledger_files_space"), "ledger_files", ["space"], unique=False)
    op.create_table(
        "finding_answers",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("submission", sa.String(length=200), nullable=False),
        sa.Column("checker", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_answers")),
    )
    op.create_index(op.f("ix_finding_answers_row_order"), "finding_answers", ["row_order"], unique=False)
    op.create_index(op.f("ix_finding_answers_submission"), "finding_answers", ["submission"], unique=False)
    op.create_table(
        "release_records",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_records")),
        sa.UniqueConstraint("number", name=op.f("uq_release_records_number")),
    )
    op.create_index(op.f("ix_release_records_row_order"), "release_records", ["row_order"], unique=False)
    op.create_index(op.f("ix_release_records_project"), "release_records", ["project"], unique=False)
    op.create_table(
        "review_comments",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("submission", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("place", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_comments")),
    )
    op.create_index(op.f("ix_review_comments_row_order"), "review_comments", ["row_order"], unique=False)
    op.create_index(op.f("ix_review_comments_submission"), "review_comments", ["submission"], unique=False)
    op.create_table(
        "publications",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("authors", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("releases", sa.JSON(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("supersedes", sa.String(length=200), nullable=True),
        sa.Column("superseded_by", sa.String(length=200), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publications")),
        sa.UniqueConstraint("number", name=op.f("uq_publications_number")),
        sa.UniqueConstraint("supersedes", name=op.f("uq_publications_supersedes")),
    )
    op.create_index(op.f("ix_publications_row_order"), "publications", ["row_order"], unique=False)
    op.create_index(op.f("ix_publications_project"), "publications", ["project"], unique=False)
    op.create_index(op.f("ix_publications_state"), "publications", ["state"], unique=False)
    op.create_table(
        "publication_votes",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("row_order", sa.BigInteger(), nullable=False),
        sa.Column("publication", sa.String(length=200), nullable=False),
        sa.Column("checker", sa.String(length=200), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("voted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication_votes")),
    )
    op.create_index(op.f("ix_publication_votes_row_order"), "publication_votes", ["row_order"], unique=False)
    op.create_index(
        op.f("ix_publication_votes_publication"), "publication_votes", ["publication"], unique=False
    )


def downgrade() -> None:
    op.drop_table("publication_votes")
    op.drop_table("publications")
    op.drop_table("review_comments")
    op.drop_table("release_records")
    op.drop_table("finding_answers")
    op.drop_table("ledger_files")
