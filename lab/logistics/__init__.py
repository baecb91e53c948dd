"""Warehouse and carrier: shipping orders (TMF700), tracking and signed webhooks (as EasyPost has them), and the customer who plugs in."""
