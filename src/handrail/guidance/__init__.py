"""What statutory guidance asks for, as dated data and pure look-ups. No models."""
