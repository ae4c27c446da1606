"""The Celery workers: each renders one job at a time, under a lease, in a child process that alone imports TensorFlow."""
