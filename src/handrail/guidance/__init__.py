"""What statutory guidance and the law ask for, as dated data and pure look-ups. No models."""
