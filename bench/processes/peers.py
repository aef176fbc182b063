"""What Python's process pools do on the work of processes.cpp: prints lines "peer|row|value". Answers are checked."""
import multiprocessing, os, signal, sys, time
from concurrent.futures import ProcessPoolExecutor


def identity(x):
    return x


def first(data):
    return data[5]


def count_row(row):
    return sum(4 <= d <= 8 for d in row)


def median(values):
    return sorted(values)[len(values) // 2]


def timed(f):
    begin = time.perf_counter()
    result = f()
    return time.perf_counter() - begin, result


def report(peer, row, value):
    print(f"{peer}|{row}|{value:.6g}", flush=True)


def measure(peer, make, call, many, workers):
    begin = time.perf_counter()
    pool = make(workers)
    call(pool, identity, 1)
    report(peer, "start a pool to its first result, us", (time.perf_counter() - begin) * 1e6)
    trips = [timed(lambda: call(pool, identity, 1))[0] for _ in range(300)]
    report(peer, "round trip of an empty task, us", median(trips) * 1e6)
    n = 100_000
    seconds, result = timed(lambda: many(pool, identity, range(n)))
    assert result == list(range(n))
    report(peer, "batched map, million tasks a second", n / seconds / 1e6)
    data = bytes(64 << 20)
    seconds = median([timed(lambda: call(pool, first, data))[0] for _ in range(3)])
    report(peer, "64 MB to a worker, copied, GB/s", len(data) / seconds / 1e9)
    rows = [[(i * 7 + k * 3) % 10 for k in range(5)] for i in range(100_000)]
    seconds, result = timed(lambda: many(pool, count_row, rows))
    assert sum(result) == sum(map(count_row, rows))
    report(peer, "range count, ns a row", seconds / len(rows) * 1e9)
    return pool


def main(workers):
    pool = measure("multiprocessing.Pool", multiprocessing.Pool, lambda p, f, x: p.apply(f, (x,)),
                   lambda p, f, xs: p.map(f, xs), workers)
    pool.terminate()
    with measure("ProcessPoolExecutor", ProcessPoolExecutor, lambda p, f, x: p.submit(f, x).result(),
                 lambda p, f, xs: list(p.map(f, xs, chunksize=1000)), workers):
        pass
    try:
        from joblib.externals.loky import get_reusable_executor
        measure("loky", get_reusable_executor, lambda p, f, x: p.submit(f, x).result(),
                lambda p, f, xs: list(p.map(f, xs, chunksize=1000)), workers)
    except ImportError:
        print("loky|not installed|nan", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
