"""The months of the readings table: which there must be, and how one is made beside running writers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from persistence.connection import Connection, count_of

_MONTHS_IN_A_YEAR = 12
_PARTITION = re.compile(r"readings_(?P<year>[0-9]{4})_(?P<month>[0-9]{2})")
_EXISTING = """
SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'readings'::regclass
"""
_WITHOUT_A_PARTITION = """
SELECT DISTINCT extract(year FROM observed_at AT TIME ZONE 'UTC')::int AS year,
                extract(month FROM observed_at AT TIME ZONE 'UTC')::int AS month
FROM readings_default ORDER BY year, month
"""
# Both locks before any work, the parent's first as every writer takes them. They let writers of other months
# through; one that would write to the default partition waits, since its row might belong to the new month.
_LOCK = "LOCK TABLE ONLY readings IN SHARE UPDATE EXCLUSIVE MODE; LOCK TABLE readings_default IN ACCESS EXCLUSIVE MODE"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of observation, in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, instant: datetime) -> "Month":
        """Return the month that *instant*, in UTC, lies in."""
        return cls(instant.year, instant.month)

    @property
    def following(self) -> "Month":
        """The month after this one."""
        return self.later(1)

    @property
    def partition(self) -> str:
        """The name of the month's partition."""
        return f"readings_{self.year:04}_{self.month:02}"

    @property
    def begins(self) -> str:
        """Its first instant, as PostgreSQL reads it."""
        return f"{self.year:04}-{self.month:02}-01 00:00:00+00"

    def later(self, months: int) -> "Month":
        """Return the month that many *months* after this one."""
        years, month = divmod(self.month - 1 + months, _MONTHS_IN_A_YEAR)
        return Month(self.year + years, month + 1)


async def missing_months(connection: Connection, wanted: Iterable[Month]) -> list[Month]:
    """Return the months to be made: of those *wanted*, and of the rows that lie in the default partition."""
    existing = {row["relname"] for row in await connection.fetch(_EXISTING)}
    stray = [Month(row["year"], row["month"]) for row in await connection.fetch(_WITHOUT_A_PARTITION)]
    return [month for month in sorted({*wanted, *stray}) if month.partition not in existing]


async def months_before(connection: Connection, moment: datetime) -> list[Month]:
    """Return the months that have a partition and were over at *moment*, the oldest first."""
    names = [_PARTITION.fullmatch(row["relname"]) for row in await connection.fetch(_EXISTING)]
    months = [Month(int(name["year"]), int(name["month"])) for name in names if name is not None]
    return [month for month in sorted(months) if month.following <= Month.of(moment.astimezone(UTC))]


async def drop(connection: Connection, partition: str) -> None:
    """Drop a month's partition with all its readings."""
    await connection.execute(f"DROP TABLE IF EXISTS {partition}")


async def is_made(connection: Connection, month: Month) -> bool:
    """Whether *month* has its partition."""
    made: bool = await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", month.partition)
    return made


async def make(connection: Connection, month: Month) -> int:
    """Make *month*'s partition and return how many rows moved there from the default partition.

    The rows must move first: PostgreSQL refuses a partition whose rows the default one holds. Attaching,
    instead of creating in place, locks out nobody who writes to another month.
    """
    await connection.execute(_LOCK)
    await connection.execute(f"CREATE TABLE {month.partition} (LIKE readings INCLUDING ALL)")
    moved = await connection.execute(_move(month))
    await connection.execute(_attach(month))
    return count_of(moved)


# The names and bounds below are made of two integers; PostgreSQL takes no parameters in such statements.


def _move(month: Month) -> str:
    return f"""
        WITH moved AS (
            DELETE FROM readings_default
            WHERE observed_at >= '{month.begins}' AND observed_at < '{month.following.begins}' RETURNING *
        ) INSERT INTO {month.partition} SELECT * FROM moved
    """  # noqa: S608


def _attach(month: Month) -> str:
    return f"""
        ALTER TABLE readings ATTACH PARTITION {month.partition}
        FOR VALUES FROM ('{month.begins}') TO ('{month.following.begins}')
    """
