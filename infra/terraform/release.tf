# Charts at the versions that were looked at; raise them with care.
resource "helm_release" "device_plugin" {
  name       = "nvidia-device-plugin"
  namespace  = "kube-system"
  repository = "https://nvidia.github.io/k8s-device-plugin"
  chart      = "nvidia-device-plugin"
  version    = "0.17.1"
  values     = [yamlencode({ nodeSelector = { "dreamfarm/nodes" = "gpu" } })]
  depends_on = [aws_eks_addon.dns]
}

resource "helm_release" "farm" {
  name       = var.name
  namespace  = kubernetes_namespace_v1.farm.metadata[0].name
  chart      = "${path.module}/../helm/dreamfarm"
  values     = [yamlencode(local.values)]
  atomic     = true
  timeout    = 900 # a first GPU node takes minutes to come
  depends_on = [aws_eks_pod_identity_association.farm, aws_iam_role_policy.farm, kubernetes_secret_v1.farm]
}

resource "kubernetes_namespace_v1" "farm" {
  metadata {
    name = var.namespace
  }

  depends_on = [aws_eks_addon.dns]
}

resource "kubernetes_secret_v1" "farm" {
  metadata {
    name      = "${var.name}-stores"
    namespace = kubernetes_namespace_v1.farm.metadata[0].name
  }

  data_wo_revision = var.redis_password_version
  data_wo = {
    redis-url = "rediss://:${var.redis_password}@${aws_elasticache_replication_group.redis.primary_endpoint_address}:6379/0"
  }
}

locals {
  service_account = var.name

  values = {
    image    = { registry = var.image_registry, tag = var.image_tag }
    settings = var.settings

    s3             = { bucket = aws_s3_bucket.dreams.bucket, region = var.region, credentials = "chain" }
    secret         = { name = kubernetes_secret_v1.farm.metadata[0].name }
    serviceAccount = { name = local.service_account }

    api     = { nodeSelector = { "dreamfarm/nodes" = "system" } }
    ingress = { enabled = var.host != null, host = coalesce(var.host, "unused.invalid") }

    workers = {
      cpu = {
        min          = 1
        max          = 1
        backlogShare = 0.05
        nodeSelector = { "dreamfarm/nodes" = "system" }
        resources    = { requests = { cpu = "1", memory = "4Gi" }, limits = { memory = "4Gi" } }
        settings     = { memory_gb = 3.5 }
      }
      gpu = {
        variant      = "gpu"
        tags         = ["gpu"]
        replicas     = var.gpu_nodes.min
        min          = var.gpu_nodes.min
        max          = var.gpu_nodes.max
        backlogShare = 0.95
        nodeSelector = { "dreamfarm/nodes" = "gpu" }
        resources    = { requests = { cpu = "2", memory = "10Gi" }, limits = { memory = "10Gi" } }
      }
    }

    autoscaling = merge(
      { enabled = var.prometheus_url != null },
      var.prometheus_url == null ? {} : { prometheusUrl = var.prometheus_url },
    )

    networkPolicy = {
      extraEgress = [{
        to    = [{ ipBlock = { cidr = "169.254.170.23/32" } }] # the node's agent, which gives pods their role
        ports = [{ protocol = "TCP", port = 80 }]
      }]
    }
  }
}
