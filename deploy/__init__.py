"""From a trained model to a bit-packed .tflite, C sources and firmware."""
