"""`python -m benchmarks`: every benchmark, one after the other."""

from benchmarks import bench_api, bench_transactions

if __name__ == "__main__":
    bench_api.main()
    bench_transactions.main()
