"""What the gateway shows to people: leads, what waits for them, what was done. Never a request, never a route."""
