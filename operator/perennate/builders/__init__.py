"""Child objects as plain manifests: pure, deterministic, one module a child's owner."""
