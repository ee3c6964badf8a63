"""Where an account's document can be kept."""
