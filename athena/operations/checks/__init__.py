"""The doctor's checks, by what they look at. Each takes the settings and gives findings; none changes anything."""
