"""The cloud WiFi platform: OpenWiFi's provisioning service (owprov), as far as a customer's router is registered there."""
