"""What could not be used, and why."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    op.execute("""
        CREATE TABLE dead_letters (
            topic text COLLATE "C" NOT NULL,
            partition integer NOT NULL,
            "offset" bigint NOT NULL,
            position smallint NOT NULL,
            received_at timestamptz NOT NULL,
            stage text NOT NULL,
            reason text NOT NULL,
            key bytea,
            value bytea,
            headers json NOT NULL,
            problem json NOT NULL,
            device_id text,
            correlation_id uuid NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_dead_letters PRIMARY KEY (topic, partition, "offset", position),
            CONSTRAINT ck_dead_letters_stage
                CHECK (stage IN ('transport', 'decode', 'schema', 'semantic', 'persist', 'evaluate')),
            CONSTRAINT ck_dead_letters_position CHECK (position >= 0)
        )
    """)
    op.execute("""
        COMMENT ON TABLE dead_letters IS
            'What could not be used, byte for byte, and why; position 0 is the whole record'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE dead_letters")
