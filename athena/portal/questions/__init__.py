"""What the portal asks of Athena, by subject."""
