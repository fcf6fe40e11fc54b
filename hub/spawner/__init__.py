"""From a grant to a desk: its container is made, inspected, compared with the grant, then started."""
