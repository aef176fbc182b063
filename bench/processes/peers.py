"""What Python's process pools do on the work of processes.cpp: prints lines "peer|row|value". Answers are checked.

peers.py WORKERS          multiprocessing, concurrent.futures and, where it is installed, joblib's loky
peers.py WORKERS BEGUN    mpi4py, inside `mpiexec -n WORKERS+1 python3 -m mpi4py.futures`, started at time BEGUN
"""
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor


def identity(x):
    return x


def first(data):
    return data[5]


def count_row(row):
    return sum(4 <= d <= 8 for d in row)


def count_in(row, low, high):
    return sum(low <= d <= high for d in row)


def median(values):
    return sorted(values)[len(values) // 2]


def timed(f):
    begin = time.perf_counter()
    result = f()
    return time.perf_counter() - begin, result


def report(peer, row, value):
    print(f"{peer}|{row}|{value:.6g}", flush=True)


def skip(peer, why):
    print(f"{peer}|skipped: {why}|", flush=True)


class Pool:
    """multiprocessing.Pool, in the words that all have in common."""

    def __init__(self, workers):
        self.pool = multiprocessing.Pool(workers)

    def call(self, f, *arguments):
        return self.pool.apply(f, arguments)

    def map(self, f, values):
        return self.pool.map(f, values)

    def starmap(self, f, values):
        return self.pool.starmap(f, values)

    def map_async(self, f, values):
        return self.pool.map_async(f, values).get()

    def submit_each(self, f, values):
        return [r.get() for r in [self.pool.apply_async(f, (v,)) for v in values]]

    def callbacks(self, f, values, done):
        for v in values:
            self.pool.apply_async(f, (v,), callback=done)

    def close(self):
        self.pool.terminate()
        self.pool.join()


class Executor:
    """Whatever looks like concurrent.futures."""

    def __init__(self, executor):
        self.pool = executor

    def call(self, f, *arguments):
        return self.pool.submit(f, *arguments).result()

    def map(self, f, values):
        return list(self.pool.map(f, values, chunksize=1000))

    def starmap(self, f, values):
        return list(self.pool.map(f, *zip(*values), chunksize=1000))

    def submit_each(self, f, values):
        return [r.result() for r in [self.pool.submit(f, v) for v in values]]

    def callbacks(self, f, values, done):
        for v in values:
            self.pool.submit(f, v).add_done_callback(lambda future: done(future.result()))

    def close(self):
        self.pool.shutdown()


def measure_rows(peer, pool):
    """For each row of five digits, how many lie in [4, 8]: one line for each way to hand the rows over."""
    rows = [[(i * 7 + k * 3) % 10 for k in range(5)] for i in range(100_000)]
    right = [count_row(r) for r in rows]
    few = 5_000  # one message a row

    def row(how, count, f):
        seconds, result = timed(f)
        assert list(result) == right[:count], how
        report(peer, f"range count by {how}, ns a row", seconds / count * 1e9)

    row("map", len(rows), lambda: pool.map(count_row, rows))
    row("starmap", len(rows), lambda: pool.starmap(count_in, [(r, 4, 8) for r in rows]))
    if hasattr(pool, "map_async"):
        row("map_async", len(rows), lambda: pool.map_async(count_row, rows))
    row("submit", few, lambda: pool.submit_each(count_row, rows[:few]))

    total, ended, lock, all_ended = 0, 0, threading.Lock(), threading.Event()

    def done(n):
        nonlocal total, ended
        with lock:
            total, ended = total + n, ended + 1
            if ended == few:
                all_ended.set()

    def call_back():
        pool.callbacks(count_row, rows[:few], done)
        all_ended.wait()

    seconds, _ = timed(call_back)
    assert total == sum(right[:few])
    report(peer, "range count by callbacks, ns a row", seconds / few * 1e9)


def measure(peer, make, begun=None):
    begin = time.perf_counter() if begun is None else time.perf_counter() - (time.time() - begun)
    pool = make()
    assert pool.call(identity, 1) == 1
    report(peer, "start a pool to its first result, us", (time.perf_counter() - begin) * 1e6)
    report(peer, "round trip of an empty task, us",
           median([timed(lambda: pool.call(identity, 1))[0] for _ in range(300)]) * 1e6)
    n = 100_000
    seconds, result = timed(lambda: pool.map(identity, range(n)))
    assert list(result) == list(range(n))
    report(peer, "batched map, million tasks a second", n / seconds / 1e6)
    few = 5_000
    seconds, result = timed(lambda: pool.submit_each(identity, range(few)))
    assert result == list(range(few))
    report(peer, "submit with a future each, million a second", few / seconds / 1e6)
    data = bytes(64 << 20)
    assert pool.call(first, data) == 0
    seconds = median([timed(lambda: pool.call(first, data))[0] for _ in range(3)])
    report(peer, "64 MB to a worker, copied, GB/s", len(data) / seconds / 1e9)
    measure_rows(peer, pool)
    pool.close()


def measure_mpi(workers):
    """mpi4py has its workers from mpiexec: this file once more, as its ranks."""
    try:
        import mpi4py.futures  # noqa: F401
    except ImportError:
        return skip("mpi4py", f"{sys.executable} has no mpi4py")
    if shutil.which("mpiexec") is None:
        return skip("mpi4py", "there is no mpiexec")
    # Open MPI refuses the superuser and more ranks than cores unless told; others do not look at these.
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                       OMPI_MCA_rmaps_base_oversubscribe="1", OMPI_MCA_mpi_yield_when_idle="1")
    command = ["mpiexec", "-n", str(workers + 1), sys.executable, "-m", "mpi4py.futures", os.path.abspath(__file__),
               str(workers), str(time.time())]
    try:
        ended = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return skip("mpi4py", "its ranks had not ended after 300 s")
    if ended.returncode != 0:
        words = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        skip("mpi4py", f"mpiexec ended with {ended.returncode} ({words[:100]})")


def main(workers):
    measure("multiprocessing.Pool", lambda: Pool(workers))
    measure("ProcessPoolExecutor", lambda: Executor(ProcessPoolExecutor(workers)))
    try:
        from joblib.externals.loky import get_reusable_executor
        measure("loky", lambda: Executor(get_reusable_executor(workers)))
    except ImportError:
        skip("loky", f"{sys.executable} has no joblib")
    measure_mpi(workers)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        from mpi4py.futures import MPIPoolExecutor
        measure("mpi4py", lambda: Executor(MPIPoolExecutor(int(sys.argv[1]))), float(sys.argv[2]))
    else:
        main(int(sys.argv[1]))
