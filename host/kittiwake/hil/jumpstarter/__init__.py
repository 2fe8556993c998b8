"""A jumpstarter driver for boards: `type: kittiwake.hil.jumpstarter.driver.Board` in an exporter's file.

The client is a module of its own, because it runs where no board is.
"""
