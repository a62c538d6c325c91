"""A plan carried out, recorded as answered, and checked afterwards. Never a decision."""
