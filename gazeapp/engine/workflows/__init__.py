"""The verbs: they read units from a project, call the core and write what comes back."""
