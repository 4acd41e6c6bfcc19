"""Endpoints of providers: address, account, headers and credentials of a request."""
