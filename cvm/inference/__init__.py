"""The exact tensor engine: ONNX bytes to checked graph to cost to plan to run."""
