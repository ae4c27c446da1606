"""The networks, each as a graph of plain operations."""
