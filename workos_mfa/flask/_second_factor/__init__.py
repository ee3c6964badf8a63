"""What is decided about an account's second factor: plain functions and values, without Flask."""
