"""A school's policies, their reviews, versions and published places. No children."""
