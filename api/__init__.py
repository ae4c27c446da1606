"""The farm's face over HTTP: thin, and free of TensorFlow."""
