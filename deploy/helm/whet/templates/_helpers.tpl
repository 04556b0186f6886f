{{- define "whet.selector" -}}
app.kubernetes.io/name: whet
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "whet.labels" -}}
{{ include "whet.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "whet.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The configuration of whet serve (docs/live.md). */}}
{{- define "whet.config" -}}
apiVersion: whet/v1
kind: ServeConfig
data: /var/lib/whet
checkpoint: {every: 1s}
log: {format: json}
retention: {{ toJson .Values.retention }}
metrics: {listen: 0.0.0.0:9090}
{{- if .Values.alerts }}
alerts: alerts.yaml
{{- end }}
{{- if eq .Values.mode "webhook" }}
listen: 0.0.0.0:8443
hosts: [{{ .Release.Name }}.{{ .Release.Namespace }}.svc, {{ .Release.Name }}.{{ .Release.Namespace }}.svc.cluster.local]
tls: {certificate: /etc/whet/tls/tls.crt, key: /etc/whet/tls/tls.key}
clients:
- {name: apiserver, roles: [ingest], clusters: [{{ .Values.cluster | quote }}], tokenFile: /etc/whet/tokens/ingest}
- {name: readers, roles: [read], tokenFile: /etc/whet/tokens/read}
clusters:
- {name: {{ .Values.cluster | quote }}, sources: [{webhook: true}]{{ include "whet.policy" . }}}
{{- else }}
listen: 127.0.0.1:8080
clusters:
- {name: {{ .Values.cluster | quote }}, sources: [{file: {{ .Values.auditLog | quote }}}]{{ include "whet.policy" . }}}
{{- end }}
{{- end }}

{{- define "whet.policy" -}}
{{- if .Values.policy }}, policy: policy.yaml{{ end -}}
{{- end }}

{{/* The files of the ConfigMap. */}}
{{- define "whet.files" -}}
{{- $config := mustMergeOverwrite (include "whet.config" . | fromYaml) .Values.config -}}
{{- $files := dict "whet.yaml" (toYaml $config) -}}
{{- with .Values.alerts }}{{ $_ := set $files "alerts.yaml" (toYaml .) }}{{ end -}}
{{- with .Values.policy }}{{ $_ := set $files "policy.yaml" (toYaml .) }}{{ end -}}
{{- toYaml (mustMerge $files .Values.files) -}}
{{- end }}

{{/* What the containers of both modes have in common. */}}
{{- define "whet.container" -}}
name: whet
image: {{ include "whet.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [serve, --config, /etc/whet/config/whet.yaml]
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end }}

{{/* Where the containers of both modes find what is not a Secret of their own. */}}
{{- define "whet.mounts" -}}
- {name: data, mountPath: /var/lib/whet}
- {name: config, mountPath: /etc/whet/config, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .Values.alertsSecret }}
- {name: alerts, mountPath: /etc/whet/alerts, readOnly: true}
{{- end }}
{{- end }}
