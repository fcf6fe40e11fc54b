"""the outputs of notebooks without which a checker approves.

Approvals from before withheld none: a notebook left whole or not at all.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withheld", sa.JSON(), nullable=True))
    op.execute("UPDATE votes SET withheld = '[]'")
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.alter_column("withheld", existing_type=sa.JSON(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.drop_column("withheld")
