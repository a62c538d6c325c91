"""The HTTP gateway and its webhooks. Never a rule of the sync, never Prefect."""
