"""What each section of a report says, one a file: a function from `core.report.scene.Scene` to a section, or None."""
