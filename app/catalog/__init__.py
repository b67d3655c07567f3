"""The service catalog: templates teams may launch and their immutable versions."""
