"""Drift statistics: counts in, verdicts out. Numpy and scipy only; no clock, no randomness, no network.

`build_profile` describes the training data, `Recorder` counts traffic against the profile in a serving pod, `Window`
adds up what the pods counted, `evaluate`, `evaluate_performance` and, without labels, `evaluate_estimate` judge the
window, and `advance` turns verdicts into an alarm.
"""

from __future__ import annotations

from perennate.drift.data.categories import class_text
from perennate.drift.data.errors import CountsError, LabelError, ProfileError, WindowError
from perennate.drift.metrics.measurement import Measurement
from perennate.drift.performance.estimated import estimate_performance, evaluate_estimate
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
from perennate.drift.verdicts.verdict import Evaluation, FeatureResult, Verdict, evaluate
from perennate.drift.windows.sample import Sample
from perennate.drift.windows.state import WindowState
from perennate.drift.windows.window import Window

__all__ = [
    "FAULT_CONSECUTIVE",
    "Cause",
    "Counts",
    "CountsError",
    "DataFault",
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
    "Verdict",
    "Window",
    "WindowError",
    "WindowState",
    "advance",
    "build_profile",
    "check_rules",
    "class_text",
    "estimate_performance",
    "evaluate",
    "evaluate_estimate",
    "evaluate_performance",
    "validate_counts",
]
