"""the controls that a checker confirmed with an approval.

Approvals from before confirmed none: there were no controls.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("confirmed", sa.JSON(), nullable=True))
    op.execute("UPDATE votes SET confirmed = '[]'")
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.alter_column("confirmed", existing_type=sa.JSON(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.drop_column("confirmed")
