{{/* Name of the operator's objects: <release>-operator, at most 63 characters. */}}
{{- define "perennate.operator" -}}
{{ printf "%s-operator" (.Release.Name | trunc 54 | trimSuffix "-") }}
{{- end -}}

{{/* Selector labels of the operator's pods. They are immutable, so they must not change between versions. */}}
{{- define "perennate.selector" -}}
app.kubernetes.io/name: perennate
app.kubernetes.io/component: operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of all objects of the chart. */}}
{{- define "perennate.labels" -}}
{{ include "perennate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "perennate.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "perennate.operator" .) }}
{{- end -}}

{{/* Image reference. Argument: (list $ .Values.image.operator) */}}
{{- define "perennate.image" -}}
{{ $root := index . 0 }}{{ $image := index . 1 }}{{ printf "%s:%s" $image.repository ($image.tag | default $root.Chart.AppVersion) }}
{{- end -}}
