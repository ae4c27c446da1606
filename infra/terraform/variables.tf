variable "name" {
  description = "The farm's name; cluster, Redis and roles are called by it."
  type        = string
  default     = "dreamfarm"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name takes 3 to 32 small letters, digits and dashes, a letter first, as dreamfarm-eu."
  }
}

variable "region" {
  description = "AWS region of all that is made."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is a region's code, as eu-central-1."
  }
}

variable "tags" {
  description = "Tags on all that is made, besides the farm's name."
  type        = map(string)
  default     = {}
}

variable "vpc_id" {
  description = "Network that the farm runs in."
  type        = string

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "vpc_id is a VPC's id, as vpc-0123456789abcdef0."
  }
}

variable "private_subnet_ids" {
  description = "Subnets for nodes and Redis, in two zones at least, with a way out through NAT."
  type        = list(string)

  validation {
    condition     = length(distinct(var.private_subnet_ids)) >= 2
    error_message = "private_subnet_ids takes two subnets at least, in different zones: Redis has a replica in another zone."
  }
}

variable "bucket_name" {
  description = "Bucket to make for pictures and results; the name must be free in all of AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name takes 3 to 63 small letters, digits and dashes. No dots: TLS names can't cover them."
  }
}

variable "web_origins" {
  description = "Origins whose pages may read and write by presigned links, as https://dreams.example."
  type        = list(string)

  validation {
    condition     = alltrue([for origin in var.web_origins : can(regex("^https://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "web_origins takes origins in full, as https://dreams.example: no path, no slash at the end, no *."
  }
}

variable "kubernetes_version" {
  description = "Version of the cluster's control plane and nodes."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "kubernetes_version is a minor version, as 1.35."
  }
}

variable "operator_cidrs" {
  description = "Networks that may reach the cluster's API from outside; empty: only the VPC may."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.operator_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "operator_cidrs takes networks as 203.0.113.0/24, not the whole internet."
  }
}

variable "redis_node_type" {
  description = "Machine of Redis; 16 GB hold six million jobs."
  type        = string
  default     = "cache.r7g.large"

  validation {
    condition     = startswith(var.redis_node_type, "cache.")
    error_message = "redis_node_type is a node type of ElastiCache, as cache.r7g.large."
  }
}

variable "redis_password" {
  description = "Password of Redis, given with each run and stored in no state: TF_VAR_redis_password=$(openssl rand -hex 32)."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9]{32,128}$", var.redis_password))
    error_message = "redis_password takes 32 to 128 letters and digits, which fit into a URL; openssl rand -hex 32 makes one."
  }
}

variable "redis_password_version" {
  description = "Raised by one, the password that is given takes effect; otherwise the old one stays."
  type        = number
  default     = 1
}

variable "system_nodes" {
  description = "Nodes for the api and the cluster's own services."
  type = object({
    instance_types = optional(list(string), ["m7i.large", "m6i.large"])
    min            = optional(number, 2)
    max            = optional(number, 4)
    disk_gb        = optional(number, 50)
  })
  default = {}

  validation {
    condition     = var.system_nodes.min >= 1 && var.system_nodes.max >= var.system_nodes.min
    error_message = "system_nodes takes 1 <= min <= max: the api must be somewhere."
  }
}

variable "gpu_nodes" {
  description = "Nodes with a graphics card, for workers; min = 0 lets a farm at rest have none."
  type = object({
    instance_types = optional(list(string), ["g6.xlarge", "g5.xlarge", "g4dn.xlarge"])
    min            = optional(number, 0)
    max            = optional(number, 8)
    disk_gb        = optional(number, 100)
    spot           = optional(bool, true)
  })
  default = {}

  validation {
    condition     = var.gpu_nodes.min >= 0 && var.gpu_nodes.max >= max(1, var.gpu_nodes.min)
    error_message = "gpu_nodes takes 0 <= min <= max, and max of 1 at least."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the farm, which is made."
  type        = string
  default     = "dreamfarm"
}

variable "image_registry" {
  description = "Where the images are, with their folder, as 123456789012.dkr.ecr.eu-central-1.amazonaws.com/dreamfarm."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.:/_-]+[a-z0-9]$", var.image_registry))
    error_message = "image_registry is a registry's host and folder, without https:// and without a slash at the end."
  }
}

variable "image_tag" {
  description = "Version of Dreamfarm, which is the images' tag."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]*$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag names a version, as 1.4.0; latest is another one on each node."
  }
}

variable "host" {
  description = "Name that people reach the farm by, as dreams.example; null: no ingress."
  type        = string
  default     = null
}

variable "prometheus_url" {
  description = "Prometheus in the cluster, whose backlog KEDA scales GPU workers by; null: as many workers as GPU nodes at least."
  type        = string
  default     = null

  validation {
    condition     = var.prometheus_url == null || can(regex("^https?://", var.prometheus_url))
    error_message = "prometheus_url is an address, as http://prometheus-operated.monitoring.svc:9090."
  }
}

variable "settings" {
  description = "Settings of the farm by their names without DREAMFARM_, as { expires_in_s = 2592000 }."
  type        = map(any)
  default     = {}
}
