"""When the last record of each partition came: from then on, what is lost is lost."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    # The version before does not write it; then an interval that was lost is told as longer than it was.
    op.execute("ALTER TABLE progress ADD COLUMN received_at timestamptz")
    op.execute("""
        COMMENT ON TABLE wards IS
            'What is known of one ward in one mode: which devices are silent, which input is paused or was lost'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("ALTER TABLE progress DROP COLUMN received_at")
    op.execute("""
        COMMENT ON TABLE wards IS
            'What is known of one ward in one mode: which devices are silent'
    """)
