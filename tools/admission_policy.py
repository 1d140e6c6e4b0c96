"""The chart's template of the admission policy: the one in manifests/base, with the values of the chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.text import HEADER

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "manifests/base/admission-policy.yaml"
TEMPLATE = "charts/perennate/templates/admission-policy.yaml"
_OPERATOR = '{{ include "perennate.operator" . }}'
_LABELS = "    app.kubernetes.io/name: perennate\n    app.kubernetes.io/component: operator\n"
_REPLACEMENTS = {
    "perennate-operator.perennate-system": f"{_OPERATOR}.{{{{ .Release.Namespace }}}}",
    "system:serviceaccount:perennate-system:perennate-operator": (
        'system:serviceaccount:{{ .Release.Namespace }}:{{ include "perennate.serviceAccount" . }}'
    ),
    '"perennate-system"': '"{{ .Release.Namespace }}"',
    "localhost/perennate-serving": '{{ include "perennate.repository" (list $ "serving") }}',
    "localhost/perennate-trainer": '{{ include "perennate.repository" (list $ "trainer") }}',
    _LABELS: '    {{- include "perennate.labels" . | nindent 4 }}\n',
}


def files(root: Path) -> dict[str, str]:
    """Return the text of the template by its path.

    Raises:
        ValueError: the policy lacks a text that depends on a value of the chart.
    """
    text = (root / SOURCE).read_text()
    for found, wanted in _REPLACEMENTS.items():
        if found not in text:
            raise ValueError(f"{SOURCE}: {found!r} is missing, which the template of the chart replaces")
        text = text.replace(found, wanted)
    condition = "{{- if .Values.admissionPolicy.enabled }}"
    return {TEMPLATE: f"{HEADER.format(source=SOURCE)}{condition}\n{text}{{{{- end }}}}\n"}
