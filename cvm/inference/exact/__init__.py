"""Arithmetic that every backend must equal: one rounding, one order, no library function."""
