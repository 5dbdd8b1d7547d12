"""User feedback: thumbs and notes on variants' answers, given in the pages or imported, kept in the run's folder."""

from core.feedback.importing import ImportReport, import_feedback
from core.feedback.log import PAGE, Entry, Feedback, Thumb, give_feedback, read_feedback
from core.feedback.satisfaction import feedback_rows

__all__ = [
    "PAGE",
    "Entry",
    "Feedback",
    "ImportReport",
    "Thumb",
    "feedback_rows",
    "give_feedback",
    "import_feedback",
    "read_feedback",
]
