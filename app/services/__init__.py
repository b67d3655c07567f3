"""What teams build and run; a stack usually belongs to one service."""
