# Plans of the farm against mocked providers: terraform test makes nothing and costs nothing.

mock_provider "aws" {
  override_during = plan

  mock_resource "aws_s3_bucket" {
    defaults = { id = "dreams-example", arn = "arn:aws:s3:::dreams-example" }
  }

  mock_resource "aws_iam_role" {
    defaults = { id = "a-role", arn = "arn:aws:iam::123456789012:role/a-role" }
  }

  mock_resource "aws_eks_cluster" {
    defaults = { endpoint = "https://cluster.example", certificate_authority = [{ data = "" }] }
  }

  mock_resource "aws_elasticache_replication_group" {
    defaults = { primary_endpoint_address = "redis.example" }
  }
}

mock_provider "helm" {}
mock_provider "kubernetes" {}

variables {
  region             = "eu-central-1"
  vpc_id             = "vpc-0123456789abcdef0"
  private_subnet_ids = ["subnet-0a", "subnet-0b"]
  bucket_name        = "dreams-example"
  web_origins        = ["https://dreams.example"]
  redis_password     = "0123456789abcdef0123456789abcdef"
  image_registry     = "registry.example/dreamfarm"
  image_tag          = "1.0.0"
}

run "as_it_comes" {
  command = plan

  assert {
    condition     = aws_eks_node_group.farm["gpu"].capacity_type == "SPOT" && aws_eks_node_group.farm["system"].capacity_type == "ON_DEMAND"
    error_message = "Workers are on spot nodes, which they may lose; the api isn't."
  }

  assert {
    condition     = !aws_eks_cluster.farm.vpc_config[0].endpoint_public_access
    error_message = "Nobody outside the VPC reaches the cluster unless asked for."
  }

  assert {
    condition     = !local.values.autoscaling.enabled && !local.values.ingress.enabled
    error_message = "Without a host and a Prometheus there is no ingress and no autoscaling."
  }
}

run "all_of_it" {
  command = plan

  variables {
    operator_cidrs = ["203.0.113.0/24"]
    host           = "dreams.example"
    prometheus_url = "http://prometheus-operated.monitoring.svc:9090"
    gpu_nodes      = { min = 1, max = 20, spot = false }
    settings       = { expires_in_s = 2592000 }
  }

  assert {
    condition     = aws_eks_node_group.farm["gpu"].capacity_type == "ON_DEMAND" && local.values.workers.gpu.max == 20
    error_message = "What is asked for of the GPU nodes holds for nodes and workers."
  }
}

run "without_web_pages" {
  command = plan

  variables {
    web_origins = []
  }

  assert {
    condition     = length(aws_s3_bucket_cors_configuration.dreams) == 0
    error_message = "Without origins the bucket has no rule for them."
  }
}

run "what_is_refused" {
  command = plan

  variables {
    name               = "Dream_Farm"
    region             = "Frankfurt"
    vpc_id             = "my-vpc"
    private_subnet_ids = ["subnet-0a"]
    bucket_name        = "dreams.example"
    web_origins        = ["https://dreams.example/"]
    kubernetes_version = "latest"
    operator_cidrs     = ["0.0.0.0/0"]
    redis_node_type    = "r7g.large"
    redis_password     = "short"
    system_nodes       = { min = 0 }
    gpu_nodes          = { min = 2, max = 1 }
    image_registry     = "https://registry.example/"
    image_tag          = "latest"
    prometheus_url     = "prometheus"
  }

  expect_failures = [
    var.name, var.region, var.vpc_id, var.private_subnet_ids, var.bucket_name, var.web_origins, var.kubernetes_version,
    var.operator_cidrs, var.redis_node_type, var.redis_password, var.system_nodes, var.gpu_nodes, var.image_registry,
    var.image_tag, var.prometheus_url,
  ]
}
