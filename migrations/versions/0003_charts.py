"""The charts: what is known of each patient."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    # Half of each page is room for the next versions of its rows: no index is touched by an update.
    op.execute("""
        CREATE TABLE charts (
            chart_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
            patient_id text COLLATE "C" NOT NULL,
            mode text NOT NULL,
            lane integer NOT NULL,
            chart_seq bigint NOT NULL DEFAULT 0,
            due_at timestamptz,
            ward text COLLATE "C",
            bed text COLLATE "C",
            admitted_at timestamptz,
            form json,
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_charts PRIMARY KEY (chart_id),
            CONSTRAINT uq_charts_patient_id_mode UNIQUE (patient_id, mode),
            CONSTRAINT ck_charts_mode CHECK (mode IN ('real', 'test', 'demo')),
            CONSTRAINT ck_charts_counts CHECK (lane >= 0 AND chart_seq >= 0),
            CONSTRAINT ck_charts_form CHECK ((chart_seq = 0) = (form IS NULL)),
            CONSTRAINT ck_charts_admission CHECK ((ward IS NULL) = (admitted_at IS NULL)),
            CONSTRAINT ck_charts_bed CHECK (ward IS NOT NULL OR bed IS NULL)
        ) WITH (fillfactor = 50)
    """)
    # A form is written anew with every batch; LZ4 halves the time that takes. Not every server was built with it.
    op.execute("""
        DO $$ BEGIN ALTER TABLE charts ALTER COLUMN form SET COMPRESSION lz4;
        EXCEPTION WHEN feature_not_supported THEN NULL; END $$
    """)
    op.execute("CREATE INDEX ix_charts_lane_due_at ON charts (lane, due_at) WHERE due_at IS NOT NULL")
    op.execute("""
        COMMENT ON TABLE charts IS
            'What is known of one patient in one mode: the aggregate, locked as a whole'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE charts")
