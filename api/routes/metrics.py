"""Figures for Prometheus: text format 0.0.4, or OpenMetrics for whoever asks for it.

No token and any Host, as for health: nothing of anybody is in it. The names are the contract's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, TypeAlias

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from api.answers import COMMON_FIELDS
from gateway.measures import Durations
from gateway.services import Services
from gateway.services.metrics import Figures
from gateway.store.figures import REPORT_BOUNDS

_ACCEPT_MOST: Final = 1024
#: The other format that is told, to whoever accepts it.
OPENMETRICS: Final = "application/openmetrics-text"
#: By the values of the labels.
_Values: TypeAlias = Mapping[tuple[str, str], int] | Mapping[tuple[str], int]


async def show(services: Services, request: web.Request) -> web.Response:
    """The figures of this moment, for Prometheus.

    In OpenMetrics for whoever accepts it, else in text format 0.0.4.
    """
    figures = await services.metrics.figures()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(figures))
    encode, content_type = choose_encoder(request.headers.get("Accept", "")[:_ACCEPT_MOST])
    return web.Response(body=encode(registry), headers={**COMMON_FIELDS, "Content-Type": content_type})


class _Told(Collector):
    """One answer."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Every metric, in the order of the documentation."""
        told = self._figures
        yield _counter("tocsin_messages", "Messages that took a status", ("status", "category"), told.messages)
        if told.store_answers:
            yield from _of_store(told)
        up = {(name,): int(usable) for name, usable in told.modems.items()}
        yield _gauge("tocsin_modem_up", "Whether the modem can send", ("modem",), up)
        parts = {(name,): told.measures.parts_sent[name] for name in told.modems}
        yield _counter("tocsin_parts_sent", "Parts that the network took", ("modem",), parts)
        measures = told.measures
        yield _histogram("tocsin_submit_seconds", "Until a modem answered a submit", measures.submit)
        yield _histogram(
            "tocsin_accept_to_wire_seconds", "From when a message may leave to its submit", measures.accept_to_wire
        )
        yield _histogram_of(
            "tocsin_report_delay_seconds",
            "From sent to delivered or undelivered",
            REPORT_BOUNDS,
            told.reports,
            told.reports_sum_s,
        )
        yield _histogram("tocsin_store_flush_seconds", "Making changes durable", measures.store_flush)


def _of_store(told: Figures) -> Iterator[Metric]:
    yield _gauge("tocsin_queue_messages", "Messages that wait or are being sent", ("status", "category"), told.queue)
    yield _gauge("tocsin_held_messages", "Messages that a rule holds", ("rule", "category"), told.held)
    yield _one("tocsin_oldest_due_seconds", "How long the first in the queue has been due", told.oldest_due_s)
    yield _one("tocsin_uncertain_messages", "Messages of which nobody knows whether they left", told.uncertain)
    yield _one("tocsin_queue_paused", "Whether sending is paused, of all or of some categories", int(told.paused))


def _gauge(name: str, sentence: str, labels: Sequence[str], values: _Values) -> Metric:
    family = GaugeMetricFamily(name, sentence, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, sentence: str, labels: Sequence[str], values: _Values) -> Metric:
    family = CounterMetricFamily(name, sentence, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _one(name: str, sentence: str, value: float) -> Metric:
    return GaugeMetricFamily(name, sentence, value=value)


def _histogram(name: str, sentence: str, found: Durations) -> Metric:
    return _histogram_of(name, sentence, found.bounds, found.counts, found.sum_s)


def _histogram_of(name: str, sentence: str, bounds: Sequence[float], counts: Sequence[int], total: float) -> Metric:
    ends = [*(f"{float(bound):g}" for bound in bounds), "+Inf"]
    buckets = list(zip(ends, map(float, accumulate(counts)), strict=True))
    return HistogramMetricFamily(name, sentence, buckets=buckets, sum_value=total)
