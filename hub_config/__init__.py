"""JupyterHub in front of Athena: log-in, proxy, a notebook server for each person, Athena's parts as its services."""
