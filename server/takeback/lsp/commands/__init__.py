"""What the commands do: each decodes its arguments or asks, calls the core once, and encodes."""
