"""Whether the store must be asked if it knows a reading already."""

from domain.chart import Chart
from domain.evaluation import Course
from domain.observations import ObservationSet
from domain.times import to_ms


def is_certainly_new(chart: Chart | Course, observation: ObservationSet) -> bool:
    """Whether nothing stored of this patient can be this set.

    That is so where its device has claimed no time as late as this one for this patient; every reading
    in the store has been through the chart, so nearly no reading needs a look-up.
    """
    if chart.chart_seq == 0:
        return True
    device = chart.devices.get(observation.device_id)
    return device is not None and to_ms(observation.observed_at) > device.newest_ms
