"""Requests to servers: connections, credentials, retries. All that leaves this machine by HTTP."""
