"""
What both services stand on: a server, requests and replies, routes, scripted faults, and a courier for webhooks.

Nothing here knows what either service answers; a fault only borrows its words for a failing server.
"""
