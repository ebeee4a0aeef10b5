"""What a process that renders file after file does with the memory of the last one."""

import contextlib
import ctypes

# Parameters of mallopt(3), and the largest threshold that it takes.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK, _KEPT = 1 << 25, 1 << 26


def keep_freed_memory() -> None:
    """Let the C library keep freed blocks of up to 32 MB, up to 64 MB in all, for the next file.

    glibc would give them back to the system and get them again, zeroed, page by page: with two workers on short files
    that costs an eighth of the throughput. Other C libraries stay as they are.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
