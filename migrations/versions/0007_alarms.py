"""The register of episodes."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    op.execute("""
        CREATE TABLE alarms (
            episode_id uuid NOT NULL,
            alarm_id uuid NOT NULL,
            chart_id bigint,
            ward text COLLATE "C",
            mode text NOT NULL,
            rule_id text NOT NULL,
            kind text NOT NULL,
            vital_sign text,
            state text NOT NULL,
            priority smallint NOT NULL,
            onset_at timestamptz NOT NULL,
            started_at timestamptz NOT NULL,
            ended_at timestamptz,
            value double precision,
            value_at timestamptz,
            updated_seq bigint NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_alarms PRIMARY KEY (episode_id),
            CONSTRAINT fk_alarms_chart_id FOREIGN KEY (chart_id) REFERENCES charts (chart_id),
            CONSTRAINT ck_alarms_mode CHECK (mode IN ('real', 'test', 'demo')),
            CONSTRAINT ck_alarms_kind CHECK (kind IN ('physiological', 'technical', 'advisory')),
            CONSTRAINT ck_alarms_state CHECK (state IN ('active', 'acknowledged', 'latched', 'inactive')),
            CONSTRAINT ck_alarms_priority CHECK (priority BETWEEN 1 AND 3),
            CONSTRAINT ck_alarms_subject CHECK (chart_id IS NOT NULL OR ward IS NOT NULL),
            CONSTRAINT ck_alarms_ended CHECK ((state = 'inactive') = (ended_at IS NOT NULL)),
            CONSTRAINT ck_alarms_value CHECK (value_at IS NOT NULL OR value IS NULL)
        )
    """)
    op.execute("CREATE INDEX ix_alarms_open ON alarms (chart_id) WHERE ended_at IS NULL")
    op.execute("CREATE INDEX ix_alarms_alarm_id ON alarms (alarm_id)")
    op.execute("""
        COMMENT ON TABLE alarms IS
            'The register of episodes: every alarm that was announced, open or over'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE alarms")
