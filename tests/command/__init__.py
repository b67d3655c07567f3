"""The `./slipway` command, asked as a person asks it: by its words, from outside."""
