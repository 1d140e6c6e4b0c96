"""Decisions about TrainingJobs."""
