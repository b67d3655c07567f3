"""What tests share: databases to throw away, a client like a browser, the cast of the demo."""
