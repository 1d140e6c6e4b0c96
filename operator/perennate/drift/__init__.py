"""Drift statistics: counts in, verdicts out. Uses numpy and scipy only; reads no clock, no random numbers, no network.

`build_profile` describes the training data. `Recorder` counts traffic against the profile in a serving pod. `Window`
adds up the counts of all pods. `evaluate_drift` compares a window with the profile, `evaluate_performance` compares
labelled performance with the baseline, and `evaluate_estimated_performance` does so without labels. `advance` turns
the results of successive evaluations into an alarm.
"""

from __future__ import annotations

from perennate.drift.data.categories import class_text
from perennate.drift.data.errors import CountsError, LabelError, ProfileError, WindowError
from perennate.drift.metrics.measurement import Measurement
from perennate.drift.performance.estimated import estimate_performance, evaluate_estimated_performance
from perennate.drift.performance.measured import Cause, PerformanceResult, evaluate_performance
from perennate.drift.performance.verdict import PerformanceVerdict
from perennate.drift.profile.build import build_profile
from perennate.drift.profile.profile import Metric, Profile
from perennate.drift.recording.counts import Counts
from perennate.drift.recording.recorder import Recorder
from perennate.drift.recording.validation import validate_counts
from perennate.drift.verdicts.faults import FAULT_CONSECUTIVE, DataFault
from perennate.drift.verdicts.persistence import Signal, Streak, advance
from perennate.drift.verdicts.rules import FeatureRule, check_rules
from perennate.drift.verdicts.verdict import DriftVerdict, Evaluation, FeatureResult, evaluate_drift
from perennate.drift.windows.sample import Sample
from perennate.drift.windows.state import WindowState
from perennate.drift.windows.window import Window

__all__ = [
    "FAULT_CONSECUTIVE",
    "Cause",
    "Counts",
    "CountsError",
    "DataFault",
    "DriftVerdict",
    "Evaluation",
    "FeatureResult",
    "FeatureRule",
    "LabelError",
    "Measurement",
    "Metric",
    "PerformanceResult",
    "PerformanceVerdict",
    "Profile",
    "ProfileError",
    "Recorder",
    "Sample",
    "Signal",
    "Streak",
    "Window",
    "WindowError",
    "WindowState",
    "advance",
    "build_profile",
    "check_rules",
    "class_text",
    "estimate_performance",
    "evaluate_drift",
    "evaluate_estimated_performance",
    "evaluate_performance",
    "validate_counts",
]
