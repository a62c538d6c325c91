"""One sync, step by step, and the check of a set-up. Never a rule, never Prefect."""
