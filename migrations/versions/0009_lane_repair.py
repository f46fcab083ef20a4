"""What a lane's repair needs: a nonce for the lane's beginning, and the ids of records that are out already."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    # The version before inserts lanes without naming the column: the default gives each its own nonce.
    op.execute("ALTER TABLE lanes ADD COLUMN nonce uuid NOT NULL DEFAULT gen_random_uuid()")
    op.execute("""
        CREATE TABLE published_ids (
            lane integer NOT NULL,
            record_id uuid NOT NULL,
            topic text NOT NULL,
            seq bigint NOT NULL,
            published_at timestamptz NOT NULL,
            noted_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_published_ids PRIMARY KEY (lane, record_id),
            CONSTRAINT ck_published_ids_seq CHECK (seq >= 0)
        )
    """)
    op.execute("""
        COMMENT ON TABLE published_ids IS
            'Records found to be out when a lane was repaired: the publisher does not send them again'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE published_ids")
    op.execute("ALTER TABLE lanes DROP COLUMN nonce")
