output "bucket" {
  description = "DREAMFARM_S3_BUCKET; DREAMFARM_S3_ENDPOINT_URL and the keys stay unset."
  value       = aws_s3_bucket.dreams.bucket
}

output "redis_host" {
  description = "Where Redis is; DREAMFARM_REDIS_URL is rediss://:PASSWORD@HOST:6379/0."
  value       = aws_elasticache_replication_group.redis.primary_endpoint_address
}

output "farm_role_arn" {
  description = "Role that api and workers have in the cluster."
  value       = aws_iam_role.farm.arn
}

output "kubeconfig_command" {
  description = "Lets kubectl and helm reach the cluster."
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${aws_eks_cluster.farm.name}"
}
