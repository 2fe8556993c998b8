"""Clock, ports, network, sources, storage devices, actions, facts of the machine; not what the bytes mean."""
