"""Which models exist at a height, what identifies them, and the commands that register them."""
