"""The trial of the published templates: which files there are, the portal they go through, what became of each."""
