"""Where everybody starts: what needs them, what is theirs, and search across everything."""
