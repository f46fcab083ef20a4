"""Devices: how usable what they sent of late was; only of those of which something was not."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson
from asyncpg import Record

from domain.bad_devices import DeviceStanding
from domain.chart_form import device_standing_from_form, device_standing_to_form
from domain.observations import Mode
from persistence.connection import Connection, columns_of, count_of
from persistence.errors import StaleChartError

_INSERT_MISSING = """
INSERT INTO devices (device_id, mode, lane)
SELECT k.device_id, k.mode, k.lane FROM unnest($1::text[], $2::text[], $3::int[]) AS k(device_id, mode, lane)
ORDER BY k.device_id COLLATE "C", k.mode
ON CONFLICT DO NOTHING
"""
_LOCK = """
SELECT d.device_id, d.mode FROM unnest($1::text[], $2::text[]) AS k(device_id, mode)
JOIN devices AS d USING (device_id, mode)
ORDER BY d.device_id, d.mode
FOR UPDATE OF d
"""
_READ = """
SELECT d.* FROM unnest($1::text[], $2::text[]) AS k(device_id, mode) JOIN devices AS d USING (device_id, mode)
"""
_SAVE = """
UPDATE devices AS d
SET device_seq = k.device_seq, is_suspect = k.is_suspect, form = k.form::json, updated_at = now()
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::boolean[], $6::text[])
     AS k(device_id, mode, before_seq, device_seq, is_suspect, form)
WHERE d.device_id = k.device_id AND d.mode = k.mode AND d.device_seq = k.before_seq
"""
_SUSPECT = "SELECT device_id, mode FROM devices WHERE is_suspect"


class DeviceKey(NamedTuple):
    """Which device, and for which data."""

    device_id: str
    mode: Mode


class DeviceRepository:
    """The devices of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def suspects(self) -> set[DeviceKey]:
        """Return the devices of which something could not be used of late."""
        return {
            DeviceKey(row["device_id"], Mode(row["mode"])) for row in await self._connection.fetch(_SUSPECT)
        }

    async def lock(self, lane_by_key: Mapping[DeviceKey, int]) -> dict[DeviceKey, DeviceStanding]:
        """Return these devices, locked until the transaction ends, made if they are not there."""
        rows = [(key.device_id, key.mode, lane) for key, lane in lane_by_key.items()]
        devices, modes, lanes = columns_of(rows, 3)
        await self._connection.execute(_INSERT_MISSING, devices, modes, lanes)
        await self._connection.execute(_LOCK, devices, modes)
        found = await self._connection.fetch(_READ, devices, modes)
        return {DeviceKey(row["device_id"], Mode(row["mode"])): _standing(row) for row in found}

    async def save(
        self, before: Mapping[DeviceKey, DeviceStanding], changed: Sequence[DeviceStanding]
    ) -> None:
        """Write *changed*, each over its state in *before*. Raises StaleChartError."""
        rows = [
            (
                after.device_id,
                after.mode,
                before[DeviceKey(after.device_id, after.mode)].device_seq,
                after.device_seq,
                after.is_suspect,
                orjson.dumps(device_standing_to_form(after)).decode(),
            )
            for after in changed
        ]
        status = await self._connection.execute(_SAVE, *columns_of(rows, 6))
        if (saved := count_of(status)) != len(rows):
            raise StaleChartError(f"{saved} of {len(rows)} devices were as they had been read")


def _standing(row: Record) -> DeviceStanding:
    key = {"device_id": row["device_id"], "mode": Mode(row["mode"]), "lane": row["lane"]}
    if row["form"] is None:
        return DeviceStanding(**key)
    return device_standing_from_form(row["form"], **key, device_seq=row["device_seq"])
