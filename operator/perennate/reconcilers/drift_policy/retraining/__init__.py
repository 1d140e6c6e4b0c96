"""Decides when to retrain: triggers, the guard, cool-down and budget, and the steps of an episode."""
