"""Human rating: studies, blind assignment, an append-only store. No pages and no statistics.

To look at a study before it is stored: `draft_study`, then `store_draft`. A page or a script works in these steps::

    store = open_store(workspace.folder)                # SQLite in studies/, or PostgreSQL by LORASCOPE_RATINGS
    made = create_study(store, [run], StudyPlan(title="Replies", mode="pair", examples=60, raters=2, overlap=2))
    made.key, made.leaks                                # the link's secret, said once; outputs that name a model
    study = open_study(store, made.study.id)            # as the owner; open_by_link(store, id, key) as a rater
    rater = join(study, "Ana")                          # the same rater again for the same name
    item = next_item(study, rater)                      # RatingItem, or Done with a sentence
    receipt = submit(study, rater, item, {"preference": "left"}, comment="shorter")    # on disk when it returns
    skip(study, rater, item, "text is broken");  flag(study, rater, item, "names its maker")
    item = undo(study, rater)                           # the last answer's item again; the new answer supersedes it
    progress(study, rater)                              # counts and times, nobody's answers
    consistency(study, rater)                           # at the end: how one agreed with oneself, from one's own answers
    close_study(study)
    actions(study), items(study)                        # pandas tables for the analysis

Call `next_item` as often as a page is drawn: until it is answered the same item comes back in the same order. Send an answer
again after a `RunError`: the pair (assignment, sequence) in the item makes it one. A receipt "too soon" or "repeated" is no
failure: show its note and draw the page again. Texts of models and names of raters are data: show them as text.

Rights lie in the `Study` that was opened: by a link it asks and stores ratings and refuses results until the study is closed.
The secret of a link is 24 random bytes, kept as SHA-256 and compared in constant time.
"""

from core.ratings.actions import actions, items, own_actions
from core.ratings.answers import flag, skip, submit
from core.ratings.assignment import next_item
from core.ratings.blindness import Leak
from core.ratings.consistency import Consistency, consistency
from core.ratings.draft import StudyDraft, draft_study
from core.ratings.gold import parse_gold
from core.ratings.listing import list_studies, missing_runs
from core.ratings.progress import progress
from core.ratings.raters import join, list_raters, renew_key
from core.ratings.records import (
    MINIMUM_DWELL_MS,
    PAIR_VALUES,
    SKIP_REASONS,
    STANDARD_CRITERIA,
    Criterion,
    Done,
    GoldItem,
    Progress,
    Rater,
    RatingItem,
    Receipt,
    StudyPlan,
    StudySummary,
)
from core.ratings.screen import undo
from core.ratings.store import RatingStore, open_store, store_url
from core.ratings.study import (
    CreatedStudy,
    Study,
    close_study,
    closed_at,
    create_study,
    guidelines,
    open_by_link,
    open_study,
    renew_link,
    set_guidelines,
    store_draft,
)

__all__ = [
    "MINIMUM_DWELL_MS", "PAIR_VALUES", "SKIP_REASONS", "STANDARD_CRITERIA", "Consistency", "CreatedStudy", "Criterion", "Done",
    "GoldItem", "Leak", "Progress", "Rater", "RatingItem", "RatingStore", "Receipt", "Study", "StudyDraft", "StudyPlan",
    "StudySummary", "actions", "close_study", "closed_at", "consistency", "create_study", "draft_study", "flag", "guidelines",
    "items", "join", "list_raters", "list_studies", "missing_runs", "next_item", "open_by_link", "open_store", "open_study",
    "own_actions", "parse_gold", "progress", "renew_key", "renew_link", "set_guidelines", "skip", "store_draft", "store_url",
    "submit", "undo",
]  # fmt: skip
