"""What the school and others do for a child with a health condition, written down; and who looked beyond their role."""
