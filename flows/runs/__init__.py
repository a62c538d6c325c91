"""All that concerns Prefect and is shared by doors. Never a rule of the sync."""
