"""The process: environment, probes, election, and the handlers that feed the work queue. The only importer of kopf."""
