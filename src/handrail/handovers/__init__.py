"""A child's care and teaching, handed from one setting to another, within an authority or between two."""
