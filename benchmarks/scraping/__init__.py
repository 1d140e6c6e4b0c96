"""Scrapes of an honest target beside hostile ones: how late, how much memory, and how long the event loop waits."""
