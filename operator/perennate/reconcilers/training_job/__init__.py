"""Decisions about TrainingJobs: start, retry, finish, status."""
