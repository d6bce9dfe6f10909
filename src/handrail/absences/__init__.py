"""Children whom illness keeps from school: what schools report, how many days, and what the authority decides."""
