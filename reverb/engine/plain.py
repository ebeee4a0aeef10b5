"""Partitioned convolution as in the textbook, in few lines: the same as both engines, but slow.

Uniformly partitioned overlap-save (Wefers 2015, chapter 5). The response is cut into partitions of B taps,
``h_p[i] = h[pB + i]``. Block ``n`` of the output is a sum over what came up to P blocks ago::

    Y_n[k] = sum over p of  H_p[k] · X_{n-p}[k]        y_n = second half of the inverse FFT of Y_n

where ``H_p`` is the FFT of partition ``p`` padded to 2B samples, and ``X_n`` that of the last 2B samples of input. The
first half of each inverse FFT is wrapped around from its end, and is dropped.
"""

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]


def convolve_plainly(x: Samples, h: Samples, block_size: int) -> Samples:
    """Convolve a signal with a response, block by block.

    Parameters
    ----------
    x, h : ndarray, shape (frames,) and (taps,)
    block_size : int
        B, in frames.

    Returns
    -------
    ndarray, shape (frames + taps - 1,)

    Examples
    --------
    >>> convolve_plainly(np.array([1.0, 2.0]), np.array([1.0, 0.5]), 2).round(9).tolist()
    [1.0, 2.5, 1.0]
    """
    length, size = len(x) + len(h) - 1, 2 * block_size
    partitions = _in_blocks(h, -(-len(h) // block_size), block_size)
    responses = np.fft.rfft(partitions, size)  # H_p
    delay_line = np.zeros_like(responses)  # X_{n-p}, the newest first
    window = np.zeros(size)  # the last 2B samples of input
    blocks = []
    for block in _in_blocks(x, -(-length // block_size), block_size):
        window = np.append(window[block_size:], block)
        delay_line = np.roll(delay_line, 1, axis=0)
        delay_line[0] = np.fft.rfft(window)
        spectrum = (responses * delay_line).sum(axis=0)  # Y_n
        blocks.append(np.fft.irfft(spectrum)[block_size:])
    return np.concatenate(blocks)[:length]


def _in_blocks(samples: Samples, count: int, block_size: int) -> Samples:
    return np.pad(samples, (0, count * block_size - len(samples))).reshape(count, block_size)
