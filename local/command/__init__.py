"""The `./slipway` command. Runs before anything is installed, so it uses the standard library alone."""
