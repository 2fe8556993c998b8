"""The broker's side of the host: one MQTT client, its TLS and its address, for every part that talks to a broker."""
