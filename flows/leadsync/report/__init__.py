"""What a run did, for people and for programs. Never what is done."""
