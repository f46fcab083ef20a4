"""The tutorial way: FastStream, one message at a time, a pydantic model, an ORM insert, a commit after each.

Every reading is one call, one session, one INSERT, one database commit; then its offset is committed
(ack_policy=NACK_ON_ERROR: FastStream's at-least-once). `--auto-commit` keeps FastStream's default instead
(ACK_FIRST: aiokafka commits every 5 s, and a crash loses readings). Library defaults kept: FastStream's
JSON decoder, dependency injection, max_workers=1; aiokafka's fetch sizes and waits; SQLAlchemy's pool of 5,
expire_on_commit, no pre-ping; asyncpg's statement cache; asyncio's event loop. Not a default: FastStream's
log of two lines per message is off, which only helps it.

Usage: python -m benchmarks.tutorial BOOTSTRAP_SERVERS URL TOPIC GROUP [--auto-commit]
"""

import asyncio
import sys
from datetime import datetime
from uuid import UUID

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from pydantic import BaseModel
from sqlalchemy import DateTime, func
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SERVERS, URL, TOPIC, GROUP, *OPTIONS = sys.argv[1:]
ACK_POLICY = AckPolicy.ACK_FIRST if "--auto-commit" in OPTIONS else AckPolicy.NACK_ON_ERROR
engine = create_async_engine(URL)
session_factory = async_sessionmaker(engine)
broker = KafkaBroker(SERVERS, logger=None)
app = FastStream(broker, logger=None)


class Base(DeclarativeBase):
    pass


class StoredReading(Base):
    __tablename__ = "readings"
    chart_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    observed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    reading_id: Mapped[UUID] = mapped_column(primary_key=True)
    vital_sign: Mapped[str]
    value: Mapped[float | None]
    device_id: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Reading(BaseModel):
    vital_sign: str
    value: float | str
    unit: str | None = None


class ObservationSet(BaseModel):
    message_id: UUID
    patient_id: str
    device_id: str
    observed_at: datetime
    readings: list[Reading]


@app.on_startup
async def create_tables() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


@broker.subscriber(TOPIC, group_id=GROUP, auto_offset_reset="earliest", ack_policy=ACK_POLICY)
async def store(message: ObservationSet) -> None:
    reading = message.readings[0]
    value = None if isinstance(reading.value, str) else reading.value
    stored = {"reading_id": message.message_id, "vital_sign": reading.vital_sign, "value": value}
    place = {"chart_id": int(message.patient_id[2:]), "observed_at": message.observed_at}
    async with session_factory() as session:
        session.add(StoredReading(**place, **stored, device_id=message.device_id))
        await session.commit()


if __name__ == "__main__":
    asyncio.run(app.run())
