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

{{- /* Labels and annotations are strings, also those that YAML would take for something else. */}}
{{- define "sriov-dra.strings" -}}
{{- range $key, $value := . }}
{{ $key | quote }}: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{- /* OpenShift assigns the users of pods itself, and refuses others. A value of null: 65532 elsewhere; "": no user. */}}
{{- define "sriov-dra.runAs" -}}
{{- $openShift := .Capabilities.APIVersions.Has "security.openshift.io/v1" }}
{{- $user := kindIs "invalid" .Values.podSecurity.runAsUser | ternary (ternary "" 65532 $openShift) .Values.podSecurity.runAsUser }}
{{- if ne (toString $user) "" }}
runAsUser: {{ $user | int64 }}
runAsGroup: {{ $user | int64 }}
{{- end }}
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
