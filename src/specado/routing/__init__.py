"""Where a request goes, when it is tried again, and when the call is over: policy without I/O."""
