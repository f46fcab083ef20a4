"""How far intake is in each input partition."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    op.execute("""
        CREATE TABLE progress (
            topic text COLLATE "C" NOT NULL,
            partition integer NOT NULL,
            next_offset bigint NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_progress PRIMARY KEY (topic, partition),
            CONSTRAINT ck_progress_next_offset CHECK (next_offset >= 0)
        )
    """)
    op.execute("""
        COMMENT ON TABLE progress IS
            'How far intake is in each input partition: the fence of the intake transaction'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE progress")
