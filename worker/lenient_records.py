"""Header names that are not UTF-8: aiokafka gives up on them, and with them on every partition; here they are read."""

# pylint: disable=subclassed-final-class, arguments-differ  # aiokafka offers no other way in

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy


class KeptRecords:
    """Fetched records that still know their bytes; reads as aiokafka's own do."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._inner = MemoryRecords(raw)
        self.size_in_bytes = self._inner.size_in_bytes
        self.has_next = self._inner.has_next
        self.next_batch = self._inner.next_batch


class _LenientText(bytearray):
    """Bytes that can always be told as text: what is not UTF-8 is written out in hexadecimal."""

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN204
        found = super().__getitem__(place)
        return _LenientText(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", _errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka has no types
    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientText(self._buffer)


class LenientRecords(_MemoryRecordsPy):  # type: ignore[misc]
    """The same bytes once more, slower, from the batch on that *offset* is in."""

    def __init__(self, raw: bytes, offset: int) -> None:
        super().__init__(raw)
        while self.has_next() and self._upcoming().next_offset <= offset:
            super().next_batch()

    def _upcoming(self) -> _LenientBatch:
        return _LenientBatch(self._next_slice)

    def next_batch(self) -> _LenientBatch | None:
        """The next batch, read leniently."""
        batch = self._upcoming() if self.has_next() else None
        super().next_batch()
        return batch


class TolerantRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of one fetch; where a header's name cannot be read, the rest is read leniently.

    Whatever a producer sends, its record must come through, to be used or to become a dead letter:
    otherwise one record silences a whole ward.
    """

    _records: KeptRecords | LenientRecords

    def __next__(self) -> object:
        """The next record."""
        try:
            return super().__next__()
        except UnicodeDecodeError:
            if isinstance(self._records, LenientRecords):
                raise
            self._records = LenientRecords(self._records.raw, self.next_fetch_offset)
            self._records_iterator = self._unpack_records()
            return super().__next__()


def install() -> None:
    """Let every consumer of this process read so from now on."""
    fetcher.MemoryRecords = KeptRecords
    fetcher.PartitionRecords = TolerantRecords
