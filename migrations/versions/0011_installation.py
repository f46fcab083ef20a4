"""Whose database this is: the group and the topics of the one Vigil that may write in it."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    op.execute("""
        CREATE TABLE installation (
            "only" boolean NOT NULL DEFAULT true,
            consumer_group text COLLATE "C" NOT NULL,
            topic_prefix text COLLATE "C" NOT NULL,
            begun_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_installation PRIMARY KEY ("only"),
            CONSTRAINT ck_installation_only CHECK ("only")
        )
    """)
    op.execute("""
        COMMENT ON TABLE installation IS
            'One row: the group and topic prefix of the Vigil this database belongs to, written at its first start'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE installation")
