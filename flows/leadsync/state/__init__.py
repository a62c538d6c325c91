"""What is kept between runs, and the lock. Never a request to a service, never a decision."""
