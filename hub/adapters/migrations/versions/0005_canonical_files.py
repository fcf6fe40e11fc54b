"""what is released of a submitted file, and what rewriting changed.

Files from before were released as they came: they are their own canonical form.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("submitted_files", schema=None) as batch_op:
        batch_op.add_column(sa.Column("canonical_name", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("canonical_size", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("canonical_sha256", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("changes", sa.JSON(), nullable=True))
    op.execute(
        "UPDATE submitted_files SET canonical_name = name, canonical_size = size, canonical_sha256 = sha256, "
        "changes = '[]'"
    )
    with op.batch_alter_table("submitted_files", schema=None) as batch_op:
        batch_op.alter_column("changes", existing_type=sa.JSON(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("submitted_files", schema=None) as batch_op:
        for column in ("changes", "canonical_sha256", "canonical_size", "canonical_name"):
            batch_op.drop_column(column)
