"""The command line: options to questions, answers to streams and exit codes."""
