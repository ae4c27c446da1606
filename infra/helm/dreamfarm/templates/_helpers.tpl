{{/* A worker is told from others by its pod's name, of which a host's name keeps 63 characters: 24 are this one's, 14 the
pool's. */}}
{{- define "dreamfarm.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 24 | trimSuffix "-" -}}
{{- end -}}

{{- define "dreamfarm.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "dreamfarm.labels" -}}
{{ include "dreamfarm.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "dreamfarm.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "dreamfarm.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{/* image: (list root name tag) */}}
{{- define "dreamfarm.image" -}}
{{- $root := index . 0 -}}
{{- $tag := coalesce (index . 2) $root.Values.image.tag $root.Chart.AppVersion -}}
{{- with $root.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end }}{{ index . 1 }}:{{ $tag }}
{{- end -}}

{{/* A setting as the environment has it: text as it is, all else as JSON, which keeps large numbers whole. */}}
{{- define "dreamfarm.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}

{{- define "dreamfarm.softShutdownS" -}}
{{- ceil (default 20 .Values.settings.soft_shutdown_s) | int -}}
{{- end -}}

{{/* What api and workers are told: the settings, and where the two stores are. */}}
{{- define "dreamfarm.env" -}}
envFrom:
  - configMapRef: {name: {{ include "dreamfarm.fullname" . }}}
env:
  {{- $secret := .Values.secret }}
  - name: DREAMFARM_REDIS_URL
    valueFrom: {secretKeyRef: {name: {{ $secret.name }}, key: {{ $secret.keys.redisUrl }}}}
  {{- if eq .Values.s3.credentials "secret" }}
  - name: DREAMFARM_S3_ACCESS_KEY_ID
    valueFrom: {secretKeyRef: {name: {{ $secret.name }}, key: {{ $secret.keys.s3AccessKeyId }}}}
  - name: DREAMFARM_S3_SECRET_ACCESS_KEY
    valueFrom: {secretKeyRef: {name: {{ $secret.name }}, key: {{ $secret.keys.s3SecretAccessKey }}}}
  {{- end }}
{{- end -}}

{{- define "dreamfarm.podSecurity" -}}
serviceAccountName: {{ include "dreamfarm.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false {{- /* they would fill the environment with DREAMFARM_… of their own */}}
shareProcessNamespace: true {{- /* the first process is Kubernetes' own, which buries what decoders leave */}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  seccompProfile: {type: RuntimeDefault}
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end -}}

{{- define "dreamfarm.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* Pods start anew where these change. */}}
{{- define "dreamfarm.checksums" -}}
checksum/settings: {{ include (print .Template.BasePath "/settings.yaml") . | sha256sum }}
checksum/secret: {{ include (print .Template.BasePath "/secret.yaml") . | sha256sum }}
{{- end -}}

{{/* A pool with its defaults, as JSON; each key as a whole: (list root name). */}}
{{- define "dreamfarm.pool" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- if not (regexMatch "^[a-z0-9]([a-z0-9-]{0,12}[a-z0-9])?$" $name) -}}
{{- fail (printf "workers: %q is no name for a pool; it has at most 14 small letters, digits and dashes, as gpu-spot." $name) -}}
{{- end -}}
{{- $pool := deepCopy $root.Values.workerDefaults -}}
{{- range $key, $value := index $root.Values.workers $name }}{{- $_ := set $pool $key $value }}{{- end -}}
{{- if gt (int $pool.min) (int $pool.max) -}}
{{- fail (printf "workers.%s: min is %d and max %d; min may be max at most." $name (int $pool.min) (int $pool.max)) -}}
{{- end -}}
{{- toJson $pool -}}
{{- end -}}

{{/* The workers there are where nobody has any work. */}}
{{- define "dreamfarm.leastWorkers" -}}
{{- $least := 0 -}}
{{- range $name, $_ := .Values.workers -}}
{{- $pool := include "dreamfarm.pool" (list $ $name) | fromJson -}}
{{- $least = add $least (ternary $pool.min $pool.replicas $.Values.autoscaling.enabled) -}}
{{- end -}}
{{- $least -}}
{{- end -}}
