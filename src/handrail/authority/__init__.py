"""What the authority decides and says about its own service: its settings, help, cookies, accessibility, its rules."""
