# What is frozen into the emulated boards' firmwares.
freeze("frozen")
