"""What charts took in beside readings: commands, and clocks that ran out."""

from alembic import op

from migrations.timeouts import limit_waiting

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_waiting()
    op.execute("""
        CREATE TABLE commands (
            command_id uuid NOT NULL,
            chart_id bigint NOT NULL,
            chart_seq bigint NOT NULL,
            kind text NOT NULL,
            issued_at timestamptz NOT NULL,
            issued_by text,
            received_at timestamptz NOT NULL,
            correlation_id uuid NOT NULL,
            body json NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT pk_commands PRIMARY KEY (command_id),
            CONSTRAINT uq_commands_chart_id_chart_seq UNIQUE (chart_id, chart_seq),
            CONSTRAINT fk_commands_chart_id FOREIGN KEY (chart_id) REFERENCES charts (chart_id)
        )
    """)
    op.execute("""
        CREATE TABLE ticks (
            chart_id bigint NOT NULL,
            chart_seq bigint NOT NULL,
            at timestamptz NOT NULL,
            CONSTRAINT pk_ticks PRIMARY KEY (chart_id, chart_seq),
            CONSTRAINT fk_ticks_chart_id FOREIGN KEY (chart_id) REFERENCES charts (chart_id)
        )
    """)
    op.execute("COMMENT ON TABLE commands IS 'Every command a chart took in'")
    op.execute("""
        COMMENT ON TABLE ticks IS
            'Every time a clock ran out for a chart: with readings and commands, its whole sequence'
    """)


def downgrade() -> None:
    limit_waiting()
    op.execute("DROP TABLE ticks")
    op.execute("DROP TABLE commands")
