"""The product on one machine with nothing installed: its database, its processes and their environment.

Production uses none of this.
"""
