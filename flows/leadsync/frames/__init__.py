"""JSON in, typed rows and frames out. Pure: never a request, never a decision."""
