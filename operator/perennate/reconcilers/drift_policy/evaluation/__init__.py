"""Evaluates a window: verdicts, rounded figures, alarms. Returns values; writes no status and starts no retraining."""
