"""What breaks a running Slipway on purpose, and what judges afterwards whether anything was lost or doubled."""
