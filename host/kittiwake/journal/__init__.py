"""Reading a device's journal on the host: the files of a partition's image, what they hold, and what is wrong."""
