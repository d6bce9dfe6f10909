"""Handrail: keeps schools' medical policies and healthcare plans in date, for English local authorities."""
