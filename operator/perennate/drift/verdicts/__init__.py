"""Drift verdicts and data faults of a window, and alarms. Nothing here decides about retraining."""
