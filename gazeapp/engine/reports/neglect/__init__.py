"""What lesions did, for terminals, reports and tables."""
