# One shard: the farm's scripts change several keys in one step, which a cluster of shards refuses.
resource "aws_elasticache_replication_group" "redis" {
  replication_group_id = var.name
  description          = "Jobs and messages of ${var.name}"

  engine               = "valkey"
  engine_version       = "8.1"
  node_type            = var.redis_node_type
  port                 = 6379
  parameter_group_name = aws_elasticache_parameter_group.redis.name

  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  subnet_group_name          = aws_elasticache_subnet_group.redis.name
  security_group_ids         = [aws_security_group.redis.id]

  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token_wo              = var.redis_password
  auth_token_wo_version      = var.redis_password_version
  auth_token_update_strategy = "SET"

  snapshot_retention_limit  = 7
  snapshot_window           = "02:00-03:00"
  maintenance_window        = "sun:03:30-sun:04:30"
  final_snapshot_identifier = "${var.name}-final"

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_elasticache_parameter_group" "redis" {
  name        = "${var.name}-valkey8"
  family      = "valkey8"
  description = "Nothing is thrown away when memory runs short"

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_elasticache_subnet_group" "redis" {
  name       = var.name
  subnet_ids = var.private_subnet_ids
}

resource "aws_security_group" "redis" {
  name        = "${var.name}-redis"
  description = "Redis of ${var.name}: reached by the cluster's nodes alone"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "redis" {
  security_group_id            = aws_security_group.redis.id
  referenced_security_group_id = aws_eks_cluster.farm.vpc_config[0].cluster_security_group_id
  description                  = "From the cluster's nodes"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}
