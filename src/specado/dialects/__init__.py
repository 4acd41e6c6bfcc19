"""Wire formats: what each one is, and how requests, replies and errors are translated."""
