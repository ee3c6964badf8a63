"""What the emulator stands on: its clock, ids, chance and logs."""
