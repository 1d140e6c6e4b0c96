"""Counting traffic against a profile in a serving pod, and the counts document that it hands out."""
