"""Routing policy without I/O: candidates, retries, fallback, health of deployments."""
