"""The playground behind play.py: both services, the gateway and its page in one process. Never a rule of the sync."""
