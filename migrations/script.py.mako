"""${message}."""

from alembic import op
import sqlalchemy as sa

from migrations.timeouts import limit_waiting

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    ${upgrades if upgrades else "..."}


def downgrade() -> None:
    limit_waiting()
    ${downgrades if downgrades else "..."}
