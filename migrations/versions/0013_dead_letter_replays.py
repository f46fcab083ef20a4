"""Replays of dead letters: which records are to be sent again, and how far that has come."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    op.execute("""
        CREATE TABLE dead_letter_replays (
            topic text COLLATE "C" NOT NULL,
            partition integer NOT NULL,
            "offset" bigint NOT NULL,
            selection text NOT NULL,
            replay_id uuid NOT NULL DEFAULT gen_random_uuid(),
            asked_at timestamptz NOT NULL DEFAULT now(),
            tried_at timestamptz,
            outcome text,
            ended_at timestamptz,
            CONSTRAINT pk_dead_letter_replays PRIMARY KEY (topic, partition, "offset"),
            CONSTRAINT ck_dead_letter_replays_outcome CHECK (outcome IN ('sent', 'too_large')),
            CONSTRAINT ck_dead_letter_replays_ended CHECK ((outcome IS NULL) = (ended_at IS NULL))
        )
    """)
    op.execute("""
        CREATE INDEX ix_dead_letter_replays_open ON dead_letter_replays (topic, partition, "offset")
        WHERE outcome IS NULL
    """)
    op.execute("""
        COMMENT ON TABLE dead_letter_replays IS
            'Dead letters that are to be sent to their input topic again, and those that were: a killed replay goes on here'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE dead_letter_replays")
