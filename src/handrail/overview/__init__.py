"""An authority's and a school's front pages: reads across rooms, writes nothing."""
