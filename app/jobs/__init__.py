"""The engine: runs jobs step by step, each step repeatable; knows no feature."""
