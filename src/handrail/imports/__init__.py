"""Files that people bring: a register extract, a starter spreadsheet or a school's list of its children; checked,
committed, undone.

A page only takes the file and the decisions about it. What takes time is done by `workflows.register`, which opens
the authority for each step and none while a file is read.
"""
