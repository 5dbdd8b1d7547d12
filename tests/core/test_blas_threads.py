from __future__ import annotations

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from core.blas_threads import one_blas_thread


def threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_the_last_to_leave_lifts_the_limit() -> None:
    with threadpool_limits(limits=2, user_api="blas"):
        assert threads() == {2}
        outer, inner = one_blas_thread(), one_blas_thread()
        outer.__enter__()
        inner.__enter__()
        assert threads() == {1}
        outer.__exit__(None, None, None)
        assert threads() == {1}, "another one still needs it"
        inner.__exit__(None, None, None)
        assert threads() == {2}


def test_an_error_lifts_it_too() -> None:
    with threadpool_limits(limits=2, user_api="blas"):
        with pytest.raises(ValueError, match="inside"), one_blas_thread():
            raise ValueError("inside")
        assert threads() == {2}
