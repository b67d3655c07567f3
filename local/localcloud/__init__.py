"""What turns MiniStack into Slipway's local cloud: pace, faults, every published type, state that survives a kill."""
