"""What we use of amqtt, the demo's broker."""
