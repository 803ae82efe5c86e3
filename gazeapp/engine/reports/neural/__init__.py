"""What a report and a terminal say of brain responses."""
