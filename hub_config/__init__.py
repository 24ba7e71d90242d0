"""JupyterHub in front of Athena: log-in, proxy, a notebook server for each person, and Athena's parts as its services."""
