"""How each patient is watched, each lane's signs of life, and the times for which nobody watched."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    # The version before writes none of them: what it saves keeps the word of the version after, until that saves again.
    op.execute("""
        ALTER TABLE charts
            ADD COLUMN watch text,
            ADD COLUMN watch_reason text,
            ADD COLUMN watch_since timestamptz,
            ADD COLUMN watch_until timestamptz
    """)
    op.execute("""
        ALTER TABLE charts
            ADD CONSTRAINT ck_charts_watch CHECK (watch IN ('watched', 'partly', 'not_watched')) NOT VALID,
            ADD CONSTRAINT ck_charts_watch_reason
                CHECK ((watch_reason IS NULL) = (watch IS NULL OR watch = 'watched')) NOT VALID
    """)
    op.execute("ALTER TABLE charts VALIDATE CONSTRAINT ck_charts_watch")
    op.execute("ALTER TABLE charts VALIDATE CONSTRAINT ck_charts_watch_reason")
    op.execute("""
        CREATE TABLE signs_of_life (
            lane integer NOT NULL,
            at timestamptz NOT NULL,
            seen_until timestamptz,
            watched_until timestamptz,
            reason text,
            CONSTRAINT pk_signs_of_life PRIMARY KEY (lane),
            CONSTRAINT ck_signs_of_life_lane CHECK (lane >= 0)
        )
    """)
    op.execute("""
        COMMENT ON TABLE signs_of_life IS
            'Of each lane, as its holder left word every few seconds: until when its patients were watched, and why '
            'they are not'
    """)
    op.execute("""
        CREATE TABLE watch_gaps (
            lane integer NOT NULL,
            from_at timestamptz NOT NULL,
            until_at timestamptz NOT NULL,
            reason text NOT NULL,
            noted_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_watch_gaps PRIMARY KEY (lane, from_at),
            CONSTRAINT ck_watch_gaps_order CHECK (from_at < until_at)
        )
    """)
    op.execute("""
        COMMENT ON TABLE watch_gaps IS
            'Times for which nobody watched the patients of a lane, noted once somebody did again'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE watch_gaps")
    op.execute("DROP TABLE signs_of_life")
    op.execute("""
        ALTER TABLE charts DROP COLUMN watch, DROP COLUMN watch_reason, DROP COLUMN watch_since, DROP COLUMN watch_until
    """)
