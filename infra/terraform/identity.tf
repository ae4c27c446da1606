# What farm/storage.py calls, and nothing else. A missing object is told from a forbidden one only to who may list.
resource "aws_iam_role_policy" "farm" {
  name = "dreams"
  role = aws_iam_role.farm.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Objects"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = "${aws_s3_bucket.dreams.arn}/*"
      },
      {
        Sid      = "Names"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = aws_s3_bucket.dreams.arn
      },
    ]
  })
}

resource "aws_iam_role" "farm" {
  name               = "${var.name}-farm"
  description        = "Api and workers of ${var.name}"
  assume_role_policy = local.trust["pods"]
}

resource "aws_eks_pod_identity_association" "farm" {
  cluster_name    = aws_eks_cluster.farm.name
  namespace       = var.namespace
  service_account = local.service_account
  role_arn        = aws_iam_role.farm.arn
}

resource "aws_iam_role" "cluster" {
  name               = "${var.name}-cluster"
  description        = "Control plane of ${var.name}"
  assume_role_policy = local.trust["eks"]
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_iam_role" "node" {
  name               = "${var.name}-node"
  description        = "Nodes of ${var.name}"
  assume_role_policy = local.trust["ec2"]
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly"])

  role       = aws_iam_role.node.name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

locals {
  trusted = {
    ec2  = ["ec2.amazonaws.com", ["sts:AssumeRole"]]
    eks  = ["eks.amazonaws.com", ["sts:AssumeRole"]]
    pods = ["pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"]]
  }

  trust = {
    for who, trusted in local.trusted : who => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Principal = { Service = trusted[0] }
        Action    = trusted[1]
      }]
    })
  }
}
