"""Plain Ethereum blocks: their form, their rules, and a chain of them."""
