"""The tables: the one description of the schema; the migrations lead to it and a test compares."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

_Time = DateTime(timezone=True)
# Ids compare by their bytes: the same order on every system, and no index broken by a new locale library.
_Id = Text(collation="C")
# Info for the diagram: a reference that the locks keep, not the database.
_CHART = {"refers_to": "charts"}
_LANE = {"refers_to": "lanes"}


def _now(name: str) -> Column[object]:
    return Column(name, _Time, nullable=False, server_default=func.now())


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _mode() -> CheckConstraint:
    return _one_of("mode", "real", "test", "demo")


progress = Table(
    "progress",
    metadata,
    Column("topic", _Id, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    _now("updated_at"),
    Column("received_at", _Time),
    PrimaryKeyConstraint("topic", "partition"),
    CheckConstraint("next_offset >= 0", name="next_offset"),
    comment="How far intake is in each input partition: the fence of the intake transaction",
)

input_pauses = Table(
    "input_pauses",
    metadata,
    Column("topic", _Id, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("paused_at", _Time, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("retry_at", _Time, nullable=False),
    Column("wards", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("topic", "partition"),
    CheckConstraint("tries >= 0", name="tries"),
    comment="Input partitions on which nothing can be used: not read from until a look at them finds something",
)

installation = Table(
    "installation",
    metadata,
    Column("only", Boolean, primary_key=True, server_default=text("true")),
    Column("consumer_group", _Id, nullable=False),
    Column("topic_prefix", _Id, nullable=False),
    _now("begun_at"),
    CheckConstraint('"only"', name="only"),
    comment="One row: the group and topic prefix of the Vigil this database belongs to, written at its first start",
)

lanes = Table(
    "lanes",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("last_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("nonce", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    CheckConstraint("lane >= 0 AND last_seq >= 0 AND epoch >= 0", name="counts"),
    comment="The number last given in each lane; its row lock orders what is appended",
)

signs_of_life = Table(
    "signs_of_life",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False, info=_LANE),
    Column("at", _Time, nullable=False),
    Column("seen_until", _Time),
    Column("watched_until", _Time),
    Column("reason", Text),
    CheckConstraint("lane >= 0", name="lane"),
    comment="Of each lane, as its holder left word every few seconds: until when its patients were watched, and why "
    "they are not",
)

watch_gaps = Table(
    "watch_gaps",
    metadata,
    Column("lane", Integer, nullable=False, info=_LANE),
    Column("from_at", _Time, nullable=False),
    Column("until_at", _Time, nullable=False),
    Column("reason", Text, nullable=False),
    _now("noted_at"),
    PrimaryKeyConstraint("lane", "from_at"),
    CheckConstraint("from_at < until_at", name="order"),
    comment="Times for which nobody watched the patients of a lane, noted once somebody did again",
)

outbox = Table(
    "outbox",
    metadata,
    Column("lane", Integer, nullable=False, info=_LANE),
    Column("seq", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSON, nullable=False),
    Column("nonce", Uuid, nullable=False),
    Column("ce_id", Uuid),
    Column("observed_at", _Time),
    Column("received_at", _Time),
    Column("priority", SmallInteger),
    _now("recorded_at"),
    PrimaryKeyConstraint("lane", "seq"),
    CheckConstraint("seq > 0", name="seq"),
    CheckConstraint("priority BETWEEN 1 AND 3", name="priority"),
    comment="Records to be published, numbered per lane without a gap",
)

published_ids = Table(
    "published_ids",
    metadata,
    Column("lane", Integer, nullable=False, info=_LANE),
    Column("record_id", Uuid, nullable=False),
    Column("topic", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("published_at", _Time, nullable=False),
    _now("noted_at"),
    PrimaryKeyConstraint("lane", "record_id"),
    CheckConstraint("seq >= 0", name="seq"),
    comment="Records found to be out when a lane was repaired: the publisher does not send them again",
)

charts = Table(
    "charts",
    metadata,
    Column("chart_id", BigInteger, Identity(always=True), primary_key=True),
    Column("patient_id", _Id, nullable=False),
    Column("mode", Text, nullable=False),
    Column("lane", Integer, nullable=False, info=_LANE),
    Column("chart_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("due_at", _Time),
    Column("ward", _Id),
    Column("bed", _Id),
    Column("admitted_at", _Time),
    Column("form", JSON),
    _now("updated_at"),
    Column("watch", Text),
    Column("watch_reason", Text),
    Column("watch_since", _Time),
    Column("watch_until", _Time),
    UniqueConstraint("patient_id", "mode"),
    _mode(),
    _one_of("watch", "watched", "partly", "not_watched"),
    CheckConstraint("lane >= 0 AND chart_seq >= 0", name="counts"),
    CheckConstraint("(chart_seq = 0) = (form IS NULL)", name="form"),
    CheckConstraint("(ward IS NULL) = (admitted_at IS NULL)", name="admission"),
    CheckConstraint("ward IS NOT NULL OR bed IS NULL", name="bed"),
    CheckConstraint("(watch_reason IS NULL) = (watch IS NULL OR watch = 'watched')", name="watch_reason"),
    Index("ix_charts_lane_due_at", "lane", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    # Half of each page is room for the next versions of its rows: no index is touched by an update.
    postgresql_with={"fillfactor": "50"},
    comment="What is known of one patient in one mode: the aggregate, locked as a whole",
)
# A form is written anew with every batch; LZ4 halves the time that takes. Not every server was built with it.
_COMPRESSION = DDL("""
    DO $$ BEGIN ALTER TABLE charts ALTER COLUMN form SET COMPRESSION lz4;
    EXCEPTION WHEN feature_not_supported THEN NULL; END $$
""")  # type: ignore[no-untyped-call]
event.listen(charts, "after_create", _COMPRESSION)

readings = Table(
    "readings",
    metadata,
    # No foreign key: each row is written under its chart's lock, and a check per row would cost a look-up each.
    Column("chart_id", BigInteger, nullable=False, info=_CHART),
    Column("observed_at", _Time, nullable=False),
    Column("reading_id", Uuid, nullable=False),
    Column("vital_sign", Text, nullable=False),
    Column("value", Double),
    Column("validity", Text, nullable=False),
    Column("site", Text),
    Column("device", Text),
    Column("device_id", Text, nullable=False),
    Column("acquisition", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("received_at", _Time, nullable=False),
    _now("recorded_at"),
    Column("chart_seq", BigInteger, nullable=False),
    Column("flags", ARRAY(Text)),
    Column("correlation_id", Uuid, nullable=False),
    PrimaryKeyConstraint("chart_id", "observed_at", "reading_id"),
    _one_of("validity", "valid", "questionable", "calibrating", "invalid", "absent"),
    _one_of("acquisition", "continuous", "spot_check"),
    CheckConstraint("value > '-Infinity' AND value < 'Infinity'", name="finite"),
    CheckConstraint("value IS NOT NULL OR validity NOT IN ('valid', 'questionable')", name="usable"),
    postgresql_partition_by="RANGE (observed_at)",
    comment="Every reading, by month of observation; what has no month yet is in readings_default",
)
_DEFAULT_PARTITION = DDL("CREATE TABLE readings_default PARTITION OF readings DEFAULT")  # type: ignore[no-untyped-call]
event.listen(readings, "after_create", _DEFAULT_PARTITION)

commands = Table(
    "commands",
    metadata,
    Column("command_id", Uuid, primary_key=True),
    Column("chart_id", BigInteger, ForeignKey("charts.chart_id"), nullable=False),
    Column("chart_seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("issued_at", _Time, nullable=False),
    Column("issued_by", Text),
    Column("received_at", _Time, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("body", JSON, nullable=False),
    _now("recorded_at"),
    UniqueConstraint("chart_id", "chart_seq"),
    comment="Every command a chart took in",
)

ticks = Table(
    "ticks",
    metadata,
    Column("chart_id", BigInteger, ForeignKey("charts.chart_id"), nullable=False),
    Column("chart_seq", BigInteger, nullable=False),
    Column("at", _Time, nullable=False),
    Column("kind", Text, nullable=False, server_default=text("'due'")),
    Column("device_id", Text),
    PrimaryKeyConstraint("chart_id", "chart_seq"),
    _one_of("kind", "due", "not_evaluated"),
    CheckConstraint("kind = 'not_evaluated' OR device_id IS NULL", name="device_id"),
    comment="What a chart took in that no message tells: a clock that ran out, a message of no use to us; "
    "with readings and commands, its whole sequence",
)

wards = Table(
    "wards",
    metadata,
    Column("ward", _Id, nullable=False),
    Column("mode", Text, nullable=False),
    Column("lane", Integer, nullable=False, info=_LANE),
    Column("ward_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("due_at", _Time),
    Column("form", JSON),
    _now("updated_at"),
    PrimaryKeyConstraint("ward", "mode"),
    _mode(),
    CheckConstraint("lane >= 0 AND ward_seq >= 0", name="counts"),
    CheckConstraint("(ward_seq = 0) = (form IS NULL)", name="form"),
    comment="What is known of one ward in one mode: which devices are silent, which input is paused or was lost",
)

devices = Table(
    "devices",
    metadata,
    Column("device_id", _Id, nullable=False),
    Column("mode", Text, nullable=False),
    Column("lane", Integer, nullable=False, info=_LANE),
    Column("device_seq", BigInteger, nullable=False, server_default=text("0")),
    Column("is_suspect", Boolean, nullable=False, server_default=text("false")),
    Column("form", JSON),
    _now("updated_at"),
    PrimaryKeyConstraint("device_id", "mode"),
    _mode(),
    CheckConstraint("lane >= 0 AND device_seq >= 0", name="counts"),
    CheckConstraint("(device_seq = 0) = (form IS NULL)", name="form"),
    Index("ix_devices_suspect", "device_id", postgresql_where=text("is_suspect")),
    comment="How usable what a device sent of late was, in one mode; only of those of which something was not",
)

alarms = Table(
    "alarms",
    metadata,
    Column("episode_id", Uuid, primary_key=True),
    Column("alarm_id", Uuid, nullable=False),
    Column("chart_id", BigInteger, ForeignKey("charts.chart_id")),
    Column("ward", _Id),
    Column("mode", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("vital_sign", Text),
    Column("state", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("onset_at", _Time, nullable=False),
    Column("started_at", _Time, nullable=False),
    Column("ended_at", _Time),
    Column("value", Double),
    Column("value_at", _Time),
    Column("updated_seq", BigInteger, nullable=False),
    _now("updated_at"),
    Column("device_id", _Id),
    _mode(),
    _one_of("kind", "physiological", "technical", "advisory"),
    _one_of("state", "active", "acknowledged", "latched", "inactive"),
    CheckConstraint("priority BETWEEN 1 AND 3", name="priority"),
    CheckConstraint("chart_id IS NOT NULL OR ward IS NOT NULL OR device_id IS NOT NULL", name="subject"),
    CheckConstraint("(state = 'inactive') = (ended_at IS NOT NULL)", name="ended"),
    CheckConstraint("value_at IS NOT NULL OR value IS NULL", name="value"),
    Index("ix_alarms_open", "chart_id", postgresql_where=text("ended_at IS NULL")),
    Index("ix_alarms_alarm_id", "alarm_id"),
    comment="The register of episodes: every alarm that was announced, open or over",
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("topic", _Id, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("received_at", _Time, nullable=False),
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSON, nullable=False),
    Column("problem", JSON, nullable=False),
    Column("device_id", Text),
    Column("correlation_id", Uuid, nullable=False),
    _now("recorded_at"),
    PrimaryKeyConstraint("topic", "partition", "offset", "position"),
    _one_of("stage", "transport", "decode", "schema", "semantic", "persist", "evaluate"),
    CheckConstraint("position >= 0", name="position"),
    comment="What could not be used, byte for byte, and why; position 0 is the whole record",
)

dead_letter_replays = Table(
    "dead_letter_replays",
    metadata,
    Column("topic", _Id, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("selection", Text, nullable=False),
    Column("replay_id", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    _now("asked_at"),
    Column("tried_at", _Time),
    Column("outcome", Text),
    Column("ended_at", _Time),
    PrimaryKeyConstraint("topic", "partition", "offset"),
    _one_of("outcome", "sent", "too_large"),
    CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
    Index(
        "ix_dead_letter_replays_open",
        "topic",
        "partition",
        "offset",
        postgresql_where=text("outcome IS NULL"),
    ),
    comment="Dead letters that are to be sent to their input topic again, and those that were: "
    "a killed replay goes on here",
)
