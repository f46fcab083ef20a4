"""What a committed transaction did, told to metrics and to the log: one line for each batch."""

from collections import Counter
from collections.abc import Iterable

import structlog

from domain.observations import ObservationSet
from persistence.errors import classify
from worker.batches import Batch
from worker.input_losses import Loss
from worker.ledger import Counts
from worker.messages import Record, Refusal
from worker.observability.labels import CommandName, CommandOutcome, LoopPhase
from worker.observability.metrics import Metrics
from worker.pipeline import Outcome

log = structlog.get_logger(__name__)

_LATENESS_SAMPLES = 200


def count_batch(metrics: Metrics, batch: Batch, outcome: Outcome, *, seconds: float, now: float) -> None:
    """Count a batch that is committed, and write its line."""
    for run in batch.runs:
        metrics.readings_received.labels(topic=run.topic).inc(len(run.records))
    metrics.batch_records.observe(outcome.records)
    metrics.batch_seconds.observe(seconds)
    for phase, spent in outcome.seconds.items():
        metrics.loop_seconds.labels(phase=phase).inc(spent)
    _count_readings(metrics, batch, outcome)
    _count_refusals(metrics, outcome.refused, batch)
    count_alerts(metrics, outcome.counts)
    newest = max(run.records[-1].timestamp for run in batch.runs)
    log.info(
        "batch_handled",
        records=outcome.records,
        readings=outcome.readings,
        alerts=len(outcome.counts.alerts),
        rejected=len(outcome.refused),
        duplicates=outcome.counts.duplicates,
        commands=sum(outcome.counts.commands.values()),
        partitions=len(batch.runs),
        seconds=round(seconds, 4),
        seconds_behind=round(max(0.0, now - newest / 1000), 3),
        **_correlation(outcome),
    )


def count_ticks(metrics: Metrics, outcome: Outcome) -> None:
    """Count what a pass over the timers did."""
    metrics.ticks.inc(outcome.ticks)
    count_alerts(metrics, outcome.counts)
    if outcome.counts.alerts:
        log.info("timers_passed", ticks=outcome.ticks, alerts=len(outcome.counts.alerts))


def count_losses(metrics: Metrics, losses: Iterable[Loss], outcome: Outcome) -> None:
    """Count what was deleted before it was read, once it has been told, and write a line for each partition."""
    count_alerts(metrics, outcome.counts)
    for loss in losses:
        metrics.consumer_offset_gap_records.inc(loss.offsets)
        log.warning(
            "input_lost",
            topic=loss.topic,
            partition=loss.partition,
            offsets=loss.offsets,
            until=loss.until.isoformat(timespec="seconds"),
        )


def count_alerts(metrics: Metrics, counts: Counts) -> None:
    """Count the alerts that were recorded for publishing."""
    for alert in counts.alerts:
        metrics.alerts.labels(
            phase=alert.phase, priority=alert.priority.word, kind=alert.kind, mode=alert.mode
        ).inc()
        metrics.alert_reasons.labels(reason=alert.reason).inc()


def count_database_error(metrics: Metrics, error: BaseException) -> None:
    """Count an error of the database by what kind of trouble it is."""
    metrics.db_errors.labels(classify(error)).inc()


def _count_readings(metrics: Metrics, batch: Batch, outcome: Outcome) -> None:
    counts = outcome.counts
    metrics.readings_duplicate.inc(counts.duplicates)
    for vital, number in outcome.vitals.items():
        metrics.readings_accepted.labels(vital=vital).inc(number)
    for vital, number in counts.late.items():
        metrics.readings_late.labels(vital=vital).inc(number)
    for flag, number in counts.flags.items():
        metrics.readings_flagged.labels(flag=flag).inc(number)
    for verdict, number in Counter(counts.verdicts).items():
        metrics.evaluations.labels(verdict=verdict).inc(number)
    for (name, word), number in counts.commands.items():
        metrics.commands.labels(command=name, outcome=word).inc(number)
    _observe_lateness(metrics, batch)
    if counts.sets:
        spent = outcome.seconds.get(LoopPhase.EVALUATE, 0.0)
        metrics.evaluation_seconds.observe(spent / counts.sets)
    if outcome.records:
        sizes = sum(len(record.value or b"") for run in batch.runs for record in run.records)
        metrics.reading_size_bytes.observe(sizes / outcome.records)


def _observe_lateness(metrics: Metrics, batch: Batch) -> None:
    """Observe how late sets are; of a large batch a sample, spread evenly, since each observation costs."""
    for item in batch.items[:: max(1, len(batch.items) // _LATENESS_SAMPLES)]:
        if isinstance(item.entry, ObservationSet):
            lateness = item.entry.received_at - item.entry.observed_at
            metrics.reading_lateness_seconds.observe(lateness.total_seconds())


def _count_refusals(metrics: Metrics, refused: Iterable[tuple[Record, Refusal]], batch: Batch) -> None:
    for record, refusal in refused:
        metrics.readings_rejected.labels(stage=refusal.stage, reason=refusal.reason).inc()
        metrics.dead_letters.labels(stage=refusal.stage, reason=refusal.reason).inc()
        if refusal.acquisition is not None:
            metrics.device_dead_letters.labels(acquisition=refusal.acquisition).inc()
        if record.topic == batch.commands_topic:
            metrics.commands.labels(command=CommandName.UNKNOWN, outcome=CommandOutcome.REFUSED).inc()


def _correlation(outcome: Outcome) -> dict[str, object]:
    """The correlation ids of what was said or refused, so that each can be followed; at most ten."""
    ids = Counter(str(alert.correlation_id) for alert in outcome.counts.alerts if alert.correlation_id)
    ids.update(str(refusal.correlation_id) for _, refusal in outcome.refused)
    return {"correlation_ids": list(ids)[:10]} if ids else {}
