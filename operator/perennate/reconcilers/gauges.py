"""Prometheus gauges that describe single objects of a kind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GaugeFamily:
    """A gauge with series of their own for each object of a kind.

    Attributes:
        name: name of the metric.
        documentation: its help text.
        object_label: label that holds the object's name; the label `namespace` precedes it.
        labels: further labels.
    """

    name: str
    documentation: str
    object_label: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class GaugeValue:
    """The value of one series. `labels` are the values of the family's further labels, in order."""

    value: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class GaugeUpdate:
    """The values of one gauge for one object, replacing all values exported before."""

    family: GaugeFamily
    values: tuple[GaugeValue, ...]
