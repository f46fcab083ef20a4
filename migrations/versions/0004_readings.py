"""The readings, by month of observation."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    # No foreign key to charts: each row is written under its chart's lock, and a check per row would cost
    # a look-up each.
    op.execute("""
        CREATE TABLE readings (
            chart_id bigint NOT NULL,
            observed_at timestamptz NOT NULL,
            reading_id uuid NOT NULL,
            vital_sign text NOT NULL,
            value double precision,
            validity text NOT NULL,
            site text,
            device text,
            device_id text NOT NULL,
            acquisition text NOT NULL,
            message_id text NOT NULL,
            received_at timestamptz NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            chart_seq bigint NOT NULL,
            flags text[],
            correlation_id uuid NOT NULL,
            CONSTRAINT pk_readings PRIMARY KEY (chart_id, observed_at, reading_id),
            CONSTRAINT ck_readings_validity
                CHECK (validity IN ('valid', 'questionable', 'calibrating', 'invalid', 'absent')),
            CONSTRAINT ck_readings_acquisition CHECK (acquisition IN ('continuous', 'spot_check')),
            CONSTRAINT ck_readings_finite CHECK (value > '-Infinity' AND value < 'Infinity'),
            CONSTRAINT ck_readings_usable
                CHECK (value IS NOT NULL OR validity NOT IN ('valid', 'questionable'))
        ) PARTITION BY RANGE (observed_at)
    """)
    # Nothing is ever refused for its month; `vigil db maintain` makes the months and empties this one.
    op.execute("CREATE TABLE readings_default PARTITION OF readings DEFAULT")
    op.execute("""
        COMMENT ON TABLE readings IS
            'Every reading, by month of observation; what has no month yet is in readings_default'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE readings")
