"""The boundary: what devices, brokers and senders of commands say becomes a value, or a refusal that is counted."""
