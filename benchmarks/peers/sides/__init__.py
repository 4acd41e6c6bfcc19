"""What each library does in each case; imported in that library's own environment."""
