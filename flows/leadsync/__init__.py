"""Keeps the Airtable table Leads and a Trello board equal, in both directions, without losing an edit.

In floors; imports point down only: pipeline → apply → adapters, store, lock → plan, reconcile, report →
frames, description → model, settings, errors. Nothing in here imports Prefect: only the doors above do.
"""
