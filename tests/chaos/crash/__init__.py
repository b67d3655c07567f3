"""Kills Slipway at every place where it does something, and again while it recovers, and judges what is left."""
