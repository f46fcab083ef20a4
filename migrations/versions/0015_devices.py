"""Devices of which nothing can be used, and their technical alarms, which are about no patient and no ward."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    op.execute("""
        CREATE TABLE devices (
            device_id text COLLATE "C" NOT NULL,
            mode text NOT NULL,
            lane integer NOT NULL,
            device_seq bigint NOT NULL DEFAULT 0,
            is_suspect boolean NOT NULL DEFAULT false,
            form json,
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_devices PRIMARY KEY (device_id, mode),
            CONSTRAINT ck_devices_mode CHECK (mode IN ('real', 'test', 'demo')),
            CONSTRAINT ck_devices_counts CHECK (lane >= 0 AND device_seq >= 0),
            CONSTRAINT ck_devices_form CHECK ((device_seq = 0) = (form IS NULL))
        )
    """)
    op.execute("CREATE INDEX ix_devices_suspect ON devices (device_id) WHERE is_suspect")
    op.execute("""
        COMMENT ON TABLE devices IS
            'How usable what a device sent of late was, in one mode; only of those of which something was not'
    """)
    op.execute('ALTER TABLE alarms ADD COLUMN device_id text COLLATE "C"')
    op.execute("ALTER TABLE alarms DROP CONSTRAINT ck_alarms_subject")
    op.execute("""
        ALTER TABLE alarms ADD CONSTRAINT ck_alarms_subject
            CHECK (chart_id IS NOT NULL OR ward IS NOT NULL OR device_id IS NOT NULL) NOT VALID
    """)
    op.execute("ALTER TABLE alarms VALIDATE CONSTRAINT ck_alarms_subject")


def downgrade() -> None:
    limit_waiting()
    op.execute("DELETE FROM alarms WHERE chart_id IS NULL AND ward IS NULL")
    op.execute("ALTER TABLE alarms DROP CONSTRAINT ck_alarms_subject")
    op.execute("ALTER TABLE alarms DROP COLUMN device_id")
    op.execute("""
        ALTER TABLE alarms ADD CONSTRAINT ck_alarms_subject
            CHECK (chart_id IS NOT NULL OR ward IS NOT NULL) NOT VALID
    """)
    op.execute("ALTER TABLE alarms VALIDATE CONSTRAINT ck_alarms_subject")
    op.execute("DROP TABLE devices")
