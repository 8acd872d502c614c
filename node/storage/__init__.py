"""What the node keeps on disk: chain database and model store."""
