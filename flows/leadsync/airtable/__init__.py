"""Airtable as the sync sees it; the only folder that imports pyairtable. Never a decision."""
