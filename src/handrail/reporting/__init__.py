"""Figures for other programs: keys, tables as JSON and CSV, and what each column means. Never a child's name."""
