"""What the api and the workers share: settings, the job and its states, the Redis store, S3 storage, the queue."""
