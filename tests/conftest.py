"""Sends compiled kernels to the cache of this source and CPU before a test imports one."""

from cvm.numba_cache import configure_numba_cache

configure_numba_cache()
