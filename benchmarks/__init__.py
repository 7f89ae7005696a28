"""Programs that measure: accuracy and speed on the whole of MNIST, kept as JSON for the lessons."""
