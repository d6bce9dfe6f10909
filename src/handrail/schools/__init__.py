"""Schools and how they follow the register. No policies and no plans."""
