"""Sends compiled kernels to their cache before a test imports one; puts logs back after it."""

from collections.abc import Iterator

import pytest
import structlog

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)
