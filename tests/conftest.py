"""What holds for every test's process, before any test is read."""

import os

# As dreamcore sets it where it loads TensorFlow first: tests that load it themselves would get other kernels, and other
# rounding, than programs that users run.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
