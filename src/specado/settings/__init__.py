"""Settings of clients, parameters of requests, their validation, and secrets."""
