"""What several features' tests share."""
