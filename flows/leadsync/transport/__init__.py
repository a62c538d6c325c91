"""One path to a service: pace, retries, deadlines. Never what is asked for."""
