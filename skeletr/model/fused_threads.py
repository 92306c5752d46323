"""Parts of the sequences on a thread each, instead of each product shared by all threads.

The products of stage 1 are small: to begin and end every one of them on several threads costs
more than to let each thread take its own sequences through all layers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch
from torch import Tensor


def in_shares(function: Callable[[Tensor], Tensor], x: Tensor, least: int) -> list[Tensor]:
    """What a function gives for parts of a tensor, in order, without gradients.

    As many threads as PyTorch has where it is asked take part. With one, or where there is too
    little for two, the thread that asks does everything.

    Args:
        x: cut along its first dimension. least: how long a part is at least.
    """
    threads = torch.get_num_threads()
    count = min(threads, len(x) // max(1, least))
    if count < 2:
        return [function(x)]
    inference = torch.is_inference_mode_enabled()

    def share(part: Tensor) -> Tensor:
        with torch.inference_mode(inference), torch.no_grad():
            return function(part)

    return list(_pool(threads).map(share, x.chunk(count)))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads, each of which works out its products alone.

    PyTorch counts threads for each thread, but what one of them sets is taken over by those that
    are yet to come: so all are begun here, and then the number is set back.
    """
    together = threading.Barrier(threads)

    def alone() -> None:
        torch.get_num_threads()  # when first asked, a thread takes over the number of the others
        torch.set_num_threads(1)
        together.wait()

    pool = ThreadPoolExecutor(threads, thread_name_prefix="stage1")
    for begun in [pool.submit(alone) for _ in range(threads)]:
        begun.result()
    torch.set_num_threads(threads)
    return pool
