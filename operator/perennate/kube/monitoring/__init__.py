"""Scraping serving pods and keeping the windows of policies between two passes."""
