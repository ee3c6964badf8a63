"""What the emulator remembers, in memory and in a state file."""
