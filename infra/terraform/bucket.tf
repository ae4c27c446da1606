# No versioning: checkpoints are written and dropped with each octave, and would all be kept and paid for.
resource "aws_s3_bucket" "dreams" {
  bucket = var.bucket_name

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_ownership_controls" "dreams" {
  bucket = aws_s3_bucket.dreams.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "dreams" {
  bucket                  = aws_s3_bucket.dreams.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "dreams" {
  bucket = aws_s3_bucket.dreams.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_policy" "dreams" {
  bucket     = aws_s3_bucket.dreams.id
  depends_on = [aws_s3_bucket_public_access_block.dreams]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.dreams.arn, "${aws_s3_bucket.dreams.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

# What the farm itself removes has no rule here: results and previews with DREAMFARM_EXPIRES_IN_S, whose jobs then say so.
resource "aws_s3_bucket_lifecycle_configuration" "dreams" {
  bucket = aws_s3_bucket.dreams.id

  rule {
    id     = "abandoned-multipart-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  rule {
    id     = "uploads-never-claimed"
    status = "Enabled"

    filter {
      prefix = "uploads/"
    }

    expiration {
      days = 8 # one can be named for seven
    }
  }

  rule {
    id     = "left-by-the-doctor"
    status = "Enabled"

    filter {
      prefix = "doctor/"
    }

    expiration {
      days = 1
    }
  }

  dynamic "rule" {
    for_each = toset(["inputs/", "jobs/"])

    content {
      id     = "seldom-read-${trimsuffix(rule.value, "/")}"
      status = "Enabled"

      filter {
        prefix = rule.value
      }

      transition {
        days          = 30
        storage_class = "INTELLIGENT_TIERING"
      }
    }
  }
}

resource "aws_s3_bucket_cors_configuration" "dreams" {
  count  = length(var.web_origins) > 0 ? 1 : 0
  bucket = aws_s3_bucket.dreams.id

  cors_rule {
    allowed_methods = ["GET", "HEAD", "PUT"]
    allowed_origins = var.web_origins
    allowed_headers = ["content-type"]
    expose_headers  = ["ETag", "Content-Length"]
    max_age_seconds = 3600
  }
}
