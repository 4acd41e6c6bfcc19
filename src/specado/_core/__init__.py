"""The compiled surface: what Python code may use of it, and why it is compiled."""
