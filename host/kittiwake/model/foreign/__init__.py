"""Programs for an interpreter that has TensorFlow or LiteRT's quantiser; each runs in a process of its own.

That interpreter need not have Kittiwake's dependencies: nothing here imports more of Kittiwake than this folder.
`model/make/interpreter.py` starts them; a request is a folder with request.json and arrays, and so is the answer.
"""
