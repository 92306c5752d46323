"""What is measured, and how to repeat it: one command per table."""
