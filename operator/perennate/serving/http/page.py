"""The HTML page at `/`: the served version and how to call it. Self-contained and without scripts."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any, Final

from perennate.serving.model.sample import record_of

if TYPE_CHECKING:
    from perennate.api.documents.model_manifest import FeatureSchema
    from perennate.serving.model.model import ServedModel

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
  code, pre {{ font: 14px/1.4 ui-monospace, monospace; background: #f4f4f2 }}
  pre {{ padding: .75rem; overflow-x: auto }}
  td, th {{ text-align: left; padding: .15rem 1.5rem .15rem 0 }}
</style>
<h1>{name}</h1>
<p>{task}, {estimator}, version <code>{version}</code></p>
<h2>Request a prediction</h2>
<pre>curl -s http://HOST/predict -H 'content-type: application/json' -d '{example}'</pre>
<h2>Send the true label later</h2>
<pre>curl -s http://HOST/feedback -H 'content-type: application/json' -d '{feedback}'</pre>
<h2>Features</h2>
<table><tr><th>Feature<th>Type<th>May be null</tr>{rows}</table>
<p>OpenAPI document: <a href="/docs.json">/docs.json</a>. Open Inference Protocol: <a href="/v2">/v2</a>.</p>
</html>
"""


def render_page(model: ServedModel) -> str:
    """The page of one model."""
    manifest = model.manifest
    return _PAGE.format(
        name=escape(manifest.model),
        task=manifest.task.capitalize(),
        estimator=escape(manifest.estimator),
        version=escape(model.digest),
        example=escape(json.dumps({"records": [_example(model)]})),
        feedback=escape(json.dumps([{"id": "PREDICTION ID", "label": model.classes[-1] if model.classes else 1.5}])),
        rows="".join(
            _row(feature, optional=feature.name in model.schema.accepts_missing) for feature in manifest.features
        ),
    )


def _row(feature: FeatureSchema, *, optional: bool) -> str:
    return f"<tr><td>{escape(feature.name)}<td>{feature.type}<td>{'yes' if optional else 'no'}</tr>"


def _example(model: ServedModel) -> dict[str, Any]:
    return record_of(model.sample(1))
