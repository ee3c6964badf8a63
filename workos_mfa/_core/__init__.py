"""What all rooms share: errors, models, the transport protocol, redaction and validation."""
