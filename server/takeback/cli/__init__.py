"""The command line: decodes, calls one verb of the service, and shows the answer."""
