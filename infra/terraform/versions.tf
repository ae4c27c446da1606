terraform {
  required_version = ">= 1.11" # for what is written and never stored: the password of Redis

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.62"
    }
    helm = {
      source  = "hashicorp/helm"
      version = "~> 3.1"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.38"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

provider "kubernetes" {
  host                   = aws_eks_cluster.farm.endpoint
  cluster_ca_certificate = base64decode(aws_eks_cluster.farm.certificate_authority[0].data)

  exec {
    api_version = "client.authentication.k8s.io/v1"
    command     = "aws"
    args        = local.token_args
  }
}

provider "helm" {
  kubernetes = {
    host                   = aws_eks_cluster.farm.endpoint
    cluster_ca_certificate = base64decode(aws_eks_cluster.farm.certificate_authority[0].data)

    exec = {
      api_version = "client.authentication.k8s.io/v1"
      command     = "aws"
      args        = local.token_args
    }
  }
}

locals {
  tags       = merge({ farm = var.name, "managed-by" = "terraform" }, var.tags)
  token_args = ["eks", "get-token", "--region", var.region, "--cluster-name", aws_eks_cluster.farm.name]
}
