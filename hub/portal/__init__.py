"""The portal: pages and the JSON API, a JupyterHub service; and the gate's door for submissions."""
