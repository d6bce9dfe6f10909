"""Messages owed to people: one row per message, its wording, and the providers that carry it."""
