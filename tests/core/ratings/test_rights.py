"""Who may do what with a study: its owner, and raters who come by the link; guidelines, and the list of studies."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from core.errors import InputError
from core.ratings import (
    RatingStore,
    actions,
    close_study,
    create_study,
    guidelines,
    items,
    join,
    list_studies,
    open_by_link,
    open_study,
    renew_key,
    renew_link,
    set_guidelines,
)
from core.ratings.tables import STUDIES
from core.ratings.texts import text_hash
from tests.core.ratings.studies import answer, make_study, plan, rate_all, shown, write_run


def test_the_links_secret_is_kept_as_a_hash(store: RatingStore, tmp_path: Path) -> None:
    made = create_study(store, [write_run(tmp_path / "run")], plan())
    with store.reading() as connection:
        row = connection.execute(select(STUDIES)).mappings().one()
    assert made.key not in str(dict(row)) and row["key_hash"] == text_hash(made.key) and len(made.key) >= 32
    assert open_by_link(store, made.study.id, made.key).role == "rater"
    for study_id, key in ((made.study.id, made.key + "x"), (made.study.id, ""), ("nothing", made.key), ("nothing", "")):
        with pytest.raises(InputError, match="This link does not open a study"):
            open_by_link(store, study_id, key)
    renewed = renew_link(made.study)
    assert open_by_link(store, made.study.id, renewed).id == made.study.id
    with pytest.raises(InputError, match="does not open"):
        open_by_link(store, made.study.id, made.key)


def test_a_link_lets_rate_and_nothing_else_before_the_end(store: RatingStore, tmp_path: Path) -> None:
    made = create_study(store, [write_run(tmp_path / "run")], plan())
    study = open_by_link(store, made.study.id, made.key)
    ana = join(study, "Ana")
    rate_all(study, ana, 2)
    for refused in (actions, items):
        with pytest.raises(InputError, match="once the study is closed"):
            refused(study)
    for owners in (close_study, renew_link, lambda one: set_guidelines(one, "x")):
        with pytest.raises(InputError, match="only the study's owner can"):
            owners(study)
    with pytest.raises(InputError, match="'Ana' rates in this study already"):
        join(study, "ana")
    with pytest.raises(InputError, match="rates in this study already"):
        join(study, "Ana", "wrong")
    assert (
        join(study, "Ana", ana.key).id == ana.id == join(study, "ANA", verified=True).id == join(made.study, "Ana").id
    )
    close_study(made.study)
    assert len(actions(study)) == 2
    with pytest.raises(InputError, match="nobody can join it any more"):
        join(study, "Ben")


def test_guidelines_have_versions_that_answers_name(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path, guidelines="# First")
    rater = join(study, "Ana")
    rate_all(study, rater, 1)
    second = set_guidelines(study, "# Second")
    assert set_guidelines(study, "# Second") == second and guidelines(study) == ("# Second", text_hash("# Second"))
    item = shown(study, rater)
    assert item.guideline_hash == second
    answer(study, rater, item)
    assert list(actions(study)["guideline_hash"]) == [text_hash("# First"), second]
    with pytest.raises(InputError, match="Guidelines, line 1"):
        set_guidelines(study, "<script>")


def test_studies_are_listed_and_found(store: RatingStore, tmp_path: Path) -> None:
    first = make_study(store, tmp_path / "a", title="First")
    second = make_study(store, tmp_path / "b", title="Second", n=4)
    rate_all(second, join(second, "Ana"), 3)
    close_study(second)
    listed = list_studies(store)
    assert [(one.title, one.n_items, one.n_raters, one.n_answers) for one in listed] == [
        ("Second", 4, 1, 3),
        ("First", 12, 0, 0),
    ]
    assert listed[0].closed and not listed[1].closed
    assert open_study(store, "First").id == first.id == open_study(store, first.id[:8]).id
    with pytest.raises(InputError, match="there is no study 'Third'"):
        open_study(store, "Third")
    make_study(store, tmp_path / "c", title="First")
    with pytest.raises(InputError, match="'First' may be several studies"):
        open_study(store, "First")


def test_a_lost_key_is_renewed_by_the_owner(store: RatingStore, tmp_path: Path) -> None:
    made = create_study(store, [write_run(tmp_path / "run")], plan())
    by_link = open_by_link(store, made.study.id, made.key)
    ana = join(by_link, "Ana")
    with pytest.raises(InputError, match="only the study's owner can give a rater a new key"):
        renew_key(by_link, ana)
    renewed = renew_key(made.study, ana)
    assert join(by_link, "Ana", renewed.key).id == ana.id
    with pytest.raises(InputError, match="rates in this study already"):
        join(by_link, "Ana", ana.key)


def test_a_name_of_this_machine_cannot_be_taken_by_the_link(store: RatingStore, tmp_path: Path) -> None:
    made = create_study(store, [write_run(tmp_path / "run")], plan())
    join(made.study, "Ana")
    for key in (None, "", "x"):
        with pytest.raises(InputError, match="rates in this study already"):
            join(open_by_link(store, made.study.id, made.key), "Ana", key)
