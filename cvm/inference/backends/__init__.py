"""What runs a checked graph; every backend must give the same bytes."""
