"""Partitions on which nothing can be used: that they are paused outlasts a restart."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    op.execute("""
        CREATE TABLE input_pauses (
            topic text COLLATE "C" NOT NULL,
            partition integer NOT NULL,
            paused_at timestamptz NOT NULL,
            tries integer NOT NULL,
            retry_at timestamptz NOT NULL,
            wards text[] NOT NULL,
            CONSTRAINT pk_input_pauses PRIMARY KEY (topic, partition),
            CONSTRAINT ck_input_pauses_tries CHECK (tries >= 0)
        )
    """)
    op.execute("""
        COMMENT ON TABLE input_pauses IS
            'Input partitions on which nothing can be used: not read from until a look at them finds something'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE input_pauses")
