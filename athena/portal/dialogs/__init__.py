"""What is asked in the shell's dialog, a module each."""
