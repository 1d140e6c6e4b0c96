"""File formats of models, one folder each, behind the `ModelFormat` protocol. Only `versions.registry` names them.

Storing versions and verifying digests belong in `artifacts.versions`.
"""
