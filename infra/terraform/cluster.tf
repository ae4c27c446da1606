resource "aws_eks_cluster" "farm" {
  name                      = var.name
  role_arn                  = aws_iam_role.cluster.arn
  version                   = var.kubernetes_version
  enabled_cluster_log_types = ["audit", "authenticator"]
  deletion_protection       = true

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }

  vpc_config {
    subnet_ids              = var.private_subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.operator_cidrs) > 0
    public_access_cidrs     = length(var.operator_cidrs) > 0 ? var.operator_cidrs : null
  }

  depends_on = [aws_iam_role_policy_attachment.cluster]
}

resource "aws_eks_addon" "early" {
  for_each = {
    "eks-pod-identity-agent" = null
    "kube-proxy"             = null
    "vpc-cni"                = jsonencode({ enableNetworkPolicy = "true" }) # else the chart's policies bind nobody
  }

  cluster_name         = aws_eks_cluster.farm.name
  addon_name           = each.key
  configuration_values = each.value
}

resource "aws_eks_addon" "dns" {
  cluster_name = aws_eks_cluster.farm.name
  addon_name   = "coredns"
  depends_on   = [aws_eks_node_group.farm]
}

resource "aws_eks_node_group" "farm" {
  for_each = local.node_groups

  cluster_name           = aws_eks_cluster.farm.name
  node_group_name_prefix = "${each.key}-"
  node_role_arn          = aws_iam_role.node.arn
  subnet_ids             = var.private_subnet_ids
  version                = var.kubernetes_version

  ami_type       = each.value.ami_type
  capacity_type  = each.value.spot ? "SPOT" : "ON_DEMAND"
  instance_types = each.value.instance_types
  labels         = { "dreamfarm/nodes" = each.key }

  scaling_config {
    min_size     = each.value.min
    max_size     = each.value.max
    desired_size = each.value.min
  }

  launch_template {
    id      = aws_launch_template.node[each.key].id
    version = aws_launch_template.node[each.key].latest_version
  }

  update_config {
    max_unavailable = 1
  }

  dynamic "taint" {
    for_each = each.value.taints

    content {
      key    = taint.key
      value  = taint.value
      effect = "NO_SCHEDULE"
    }
  }

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [scaling_config[0].desired_size] # the autoscaler's
  }

  depends_on = [aws_iam_role_policy_attachment.node, aws_eks_addon.early]
}

resource "aws_launch_template" "node" {
  for_each = local.node_groups

  name_prefix            = "${var.name}-${each.key}-"
  update_default_version = true

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1 # a pod can't take the node's role
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      encrypted             = true
      volume_size           = each.value.disk_gb
      volume_type           = "gp3"
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(local.tags, { Name = "${var.name}-${each.key}" })
    }
  }
}

locals {
  node_groups = {
    system = merge(var.system_nodes, { ami_type = "AL2023_x86_64_STANDARD", spot = false, taints = {} })
    gpu    = merge(var.gpu_nodes, { ami_type = "AL2023_x86_64_NVIDIA", taints = { "nvidia.com/gpu" = "present" } })
  }
}
