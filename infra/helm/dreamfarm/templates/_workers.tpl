{{/* What a pod has to end in: a worker's soft shutdown, and time for its processes to leave: (list root pool). */}}
{{- define "dreamfarm.graceS" -}}
{{- $root := index . 0 -}}
{{- $pool := index . 1 -}}
{{- $softS := coalesce $pool.settings.soft_shutdown_s $root.Values.settings.soft_shutdown_s 20 -}}
{{- add (ceil $softS | int) 20 -}}
{{- end -}}

{{/* A pool's tolerations: its own, those for nodes with cards, those for spot nodes. */}}
{{- define "dreamfarm.tolerations" -}}
{{- $all := .tolerations -}}
{{- if eq .variant "gpu" -}}
{{- $all = append $all (dict "key" .gpuResource "operator" "Exists" "effect" "NoSchedule") -}}
{{- end -}}
{{- if .spot -}}
{{- $all = append $all (dict "key" "cloud.google.com/gke-spot" "operator" "Equal" "value" "true" "effect" "NoSchedule") -}}
{{- $all = append $all (dict "key" "kubernetes.azure.com/scalesetpriority" "operator" "Equal" "value" "spot" "effect" "NoSchedule") -}}
{{- end -}}
{{- toYaml $all -}}
{{- end -}}

{{/* A pool's resources; of cards one, as a worker uses one. */}}
{{- define "dreamfarm.workerResources" -}}
{{- $resources := deepCopy .resources -}}
{{- if eq .variant "gpu" -}}
{{- $_ := set $resources "limits" (default dict $resources.limits) -}}
{{- $_ := set $resources.limits .gpuResource 1 -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* The farm's backlog in device-seconds, once however many api pods tell it. A batch's jobs have no weight before a
worker has made them, so each counts a second: enough to call one. (list root pool) */}}
{{- define "dreamfarm.backlog" -}}
{{- $root := index . 0 -}}
{{- $pool := index . 1 -}}
{{- $of := ternary (printf "{%s}" $root.Values.autoscaling.matchers) "" (ne $root.Values.autoscaling.matchers "") -}}
{{- $sum := printf "sum(max by (state) (dreamfarm_backlog_device_seconds%s)) + max(dreamfarm_batch_jobs_unmade%s)" $of $of -}}
{{- if eq (float64 $pool.backlogShare) 1.0 }}{{ $sum }}{{ else }}{{ $pool.backlogShare }} * ({{ $sum }}){{ end -}}
{{- end -}}
