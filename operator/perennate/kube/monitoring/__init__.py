"""Scrapes serving pods between passes and saves the windows of counts. Evaluates nothing."""
