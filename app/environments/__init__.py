"""Places stacks may go: cloud accounts and the environments in them."""
