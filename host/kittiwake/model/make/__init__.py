"""Networks made here: quantised from float models, trained from recordings. Heavy libraries run in a process apart."""
