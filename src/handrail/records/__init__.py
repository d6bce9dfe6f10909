"""What is held, as a whole: giving all of it to the authority, and how long it is kept. Reads across rooms."""
