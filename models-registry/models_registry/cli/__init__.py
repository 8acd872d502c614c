"""The `cvm model` commands: from an ordinary ONNX file to a model's last block."""
