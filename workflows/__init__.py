"""The clock and the workers: the only code, with `tenants`, that enters an authority by choice."""
