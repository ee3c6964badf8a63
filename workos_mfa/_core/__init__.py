"""What all rooms share: errors, models, the transport seam, redaction and validation."""
