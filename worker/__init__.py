"""Celery workers: each renders a job at a time, under a lease, in a child process that alone imports TensorFlow."""
