"""Launched versions: launch, update, delete, and what is known about them."""
