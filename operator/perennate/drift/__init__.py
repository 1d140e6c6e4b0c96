"""Drift statistics: counts in, verdicts out. Numpy and scipy only; no clock, no randomness, no network.

`build_profile` describes the training data, `Recorder` counts traffic against the profile in a serving pod, `Window`
adds up what the pods counted, `evaluate`, `evaluate_performance` and, without labels, `evaluate_estimate` judge the
window, and `advance` turns verdicts into an alarm.
"""

from __future__ import annotations

from perennate.drift.build import build_profile
from perennate.drift.categories import class_text
from perennate.drift.counts import Counts, validate_counts
from perennate.drift.errors import CountsError, LabelError, ProfileError, WindowError
from perennate.drift.estimated import estimate_performance, evaluate_estimate
from perennate.drift.faults import FAULT_CONSECUTIVE, DataFault
from perennate.drift.measurement import Measurement
from perennate.drift.performance import Cause, PerformanceResult, evaluate_performance
from perennate.drift.persistence import Signal, Streak, advance
from perennate.drift.profile import Metric, Profile
from perennate.drift.recorder import Recorder
from perennate.drift.rules import FeatureRule, check_rules
from perennate.drift.sample import Sample
from perennate.drift.standing import Standing
from perennate.drift.verdict import Evaluation, FeatureResult, Verdict, evaluate
from perennate.drift.window import Window
from perennate.drift.window_state import WindowState

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
    "Profile",
    "ProfileError",
    "Recorder",
    "Sample",
    "Signal",
    "Standing",
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
