"""Serves the Wyoming protocol: sockets, framing, admission of clients, events."""
