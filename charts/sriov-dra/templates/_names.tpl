{{- define "sriov-dra.name" -}}
{{- $name := contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) }}
{{- $name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "sriov-dra.namespace" -}}
{{ .Values.namespace.name | default .Release.Namespace }}
{{- end }}

{{- define "sriov-dra.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "sriov-dra.name" .) }}
{{- end }}

{{- define "sriov-dra.pools" -}}
{{ .Values.pools.configMap | default (printf "%s-pools" (include "sriov-dra.name" .)) }}
{{- end }}

{{- define "sriov-dra.policies" -}}
{{ .Values.policies.namespace | default (include "sriov-dra.namespace" .) }}
{{- end }}

{{- define "sriov-dra.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "sriov-dra.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "sriov-dra.labels" -}}
{{ include "sriov-dra.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
