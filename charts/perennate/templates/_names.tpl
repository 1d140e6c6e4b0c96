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

{{/* Image repository. Argument: (list $ "operator") */}}
{{- define "perennate.repository" -}}
{{- $image := (index . 0).Values.image -}}
{{- $name := index . 1 -}}
{{- $given := (index $image $name).repository -}}
{{- if and (not $given) (not $image.registry) -}}
{{- fail (printf "image.registry: is required, because no images are published. Build and push the three images (docs/how-to/install.md), then set for example image.registry=registry.example.com/team, which means registry.example.com/team/perennate-%s, or set image.%s.repository. The local cluster of the repository has the images of image.registry=localhost." $name $name) -}}
{{- end -}}
{{- $given | default (printf "%s/perennate-%s" $image.registry $name) -}}
{{- end -}}

{{/* Image reference. Argument: (list $ "operator") */}}
{{- define "perennate.image" -}}
{{- $root := index . 0 -}}
{{- $tag := (index $root.Values.image (index . 1)).tag | default $root.Chart.AppVersion -}}
{{- printf "%s:%s" (include "perennate.repository" .) $tag -}}
{{- end -}}

{{/* The namespaces of the operator's roles and of the users' roles; "" for all, with ClusterRoles. */}}
{{- define "perennate.roleNamespaces" -}}
{{ .Values.watchNamespaces | default (list "") | toJson }}
{{- end -}}
