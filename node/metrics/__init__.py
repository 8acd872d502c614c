"""What a node counts and measures, for Prometheus; imported only where it is wanted."""
