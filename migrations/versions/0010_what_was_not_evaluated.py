"""Beside ticks that were due: that a message could not be evaluated, which is an input of the chart too."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    # The version before names the columns it writes, so both may be missing from what it says.
    op.execute("ALTER TABLE ticks ADD COLUMN kind text NOT NULL DEFAULT 'due'")
    op.execute("ALTER TABLE ticks ADD COLUMN device_id text")
    op.execute("""
        ALTER TABLE ticks
            ADD CONSTRAINT ck_ticks_kind CHECK (kind IN ('due', 'not_evaluated')) NOT VALID,
            ADD CONSTRAINT ck_ticks_device_id CHECK (kind = 'not_evaluated' OR device_id IS NULL) NOT VALID
    """)
    op.execute("ALTER TABLE ticks VALIDATE CONSTRAINT ck_ticks_kind")
    op.execute("ALTER TABLE ticks VALIDATE CONSTRAINT ck_ticks_device_id")
    op.execute("""
        COMMENT ON TABLE ticks IS
            'What a chart took in that no message tells: a clock that ran out, a message of no use to us; '
            'with readings and commands, its whole sequence'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("ALTER TABLE ticks DROP CONSTRAINT ck_ticks_device_id, DROP CONSTRAINT ck_ticks_kind")
    op.execute("ALTER TABLE ticks DROP COLUMN device_id, DROP COLUMN kind")
    op.execute("""
        COMMENT ON TABLE ticks IS
            'Every time a clock ran out for a chart: with readings and commands, its whole sequence'
    """)
