"""Endpoints of providers: URL, credentials, headers, and the account that they identify."""
