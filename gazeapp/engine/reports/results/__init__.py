"""Results as tables and figures that the report, the export and the window draw alike."""
