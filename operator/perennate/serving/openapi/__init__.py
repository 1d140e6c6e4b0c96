"""The documents that describe the API of a serving pod: `/docs.json` (OpenAPI 3.1) and `/schema.json` (BentoML)."""
