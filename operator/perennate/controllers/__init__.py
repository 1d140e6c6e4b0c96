"""The operator process: environment, probes, leader election, and kopf handlers that feed the cache. Imports kopf."""
