"""the kind of a project made without a request, the version of its pseudonyms' keys, and open sources.

Projects from before have no kind: their next extract waits. Sources from before are not open: registering the
same file with a dictionary that says so is a new edition.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("key_version", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.add_column(sa.Column("open", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("sources", schema=None) as batch_op:
        batch_op.drop_column("open")
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("key_version")
        batch_op.drop_column("kind")
