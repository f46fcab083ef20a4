"""The wards: which of their devices are silent."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    op.execute("""
        CREATE TABLE wards (
            ward text COLLATE "C" NOT NULL,
            mode text NOT NULL,
            lane integer NOT NULL,
            ward_seq bigint NOT NULL DEFAULT 0,
            due_at timestamptz,
            form json,
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_wards PRIMARY KEY (ward, mode),
            CONSTRAINT ck_wards_mode CHECK (mode IN ('real', 'test', 'demo')),
            CONSTRAINT ck_wards_counts CHECK (lane >= 0 AND ward_seq >= 0),
            CONSTRAINT ck_wards_form CHECK ((ward_seq = 0) = (form IS NULL))
        )
    """)
    op.execute("""
        COMMENT ON TABLE wards IS
            'What is known of one ward in one mode: which devices are silent'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE wards")
