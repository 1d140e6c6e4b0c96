"""I/O around the decisions: reads the cluster, executes plans. Imports the Kubernetes client; nothing else does."""
