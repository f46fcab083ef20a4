"""The lanes, and the records waiting to be published in each."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    op.execute("""
        CREATE TABLE lanes (
            lane integer NOT NULL,
            last_seq bigint NOT NULL DEFAULT 0,
            epoch bigint NOT NULL DEFAULT 0,
            CONSTRAINT pk_lanes PRIMARY KEY (lane),
            CONSTRAINT ck_lanes_counts CHECK (lane >= 0 AND last_seq >= 0 AND epoch >= 0)
        )
    """)
    op.execute("""
        CREATE TABLE outbox (
            lane integer NOT NULL,
            seq bigint NOT NULL,
            topic text NOT NULL,
            key bytea,
            value bytea,
            headers json NOT NULL,
            nonce uuid NOT NULL,
            ce_id uuid,
            observed_at timestamptz,
            received_at timestamptz,
            priority smallint,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_outbox PRIMARY KEY (lane, seq),
            CONSTRAINT ck_outbox_seq CHECK (seq > 0),
            CONSTRAINT ck_outbox_priority CHECK (priority BETWEEN 1 AND 3)
        )
    """)
    op.execute("""
        COMMENT ON TABLE lanes IS
            'The number last given in each lane; its row lock orders what is appended'
    """)
    op.execute("COMMENT ON TABLE outbox IS 'Records to be published, numbered per lane without a gap'")


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE outbox")
    op.execute("DROP TABLE lanes")
