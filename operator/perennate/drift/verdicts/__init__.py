"""From a window to a verdict on every feature, on data faults, and on an alarm. Decides nothing about retraining."""
