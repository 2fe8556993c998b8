"""Devices' records to a broker: links, order and confirmation, presence, commands, and the process that runs them."""
