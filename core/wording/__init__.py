"""What is found, in sentences: the same words on a page, in a report and on the command line. Plain text, never markup."""
