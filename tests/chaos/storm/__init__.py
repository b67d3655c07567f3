"""Whole installations under storms of faults, and what must hold after each: library of the storm's tests and bench."""
