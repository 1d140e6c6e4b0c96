"""The shell around the decisions: reads the cluster, carries plans out. The only importer of the Kubernetes client."""
