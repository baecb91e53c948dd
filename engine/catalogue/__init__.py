"""The catalogue: what can be ordered, how it decomposes, and what each item needs from inventory and devices."""
