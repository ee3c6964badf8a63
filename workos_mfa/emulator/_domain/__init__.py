"""What factors and challenges do, without a word of HTTP."""
