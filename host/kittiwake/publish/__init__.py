"""Records become messages: topics, fields and figures. Pure; no broker, no port, no clock."""
