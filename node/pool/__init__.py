"""The parts of the transaction pool: its rules, its lists, its order, its limits."""
