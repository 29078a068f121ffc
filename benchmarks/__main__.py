"""`python -m benchmarks`: every benchmark, one after the other."""

from benchmarks import (
    bench_admission,
    bench_api,
    bench_engine,
    bench_gas,
    bench_gateway,
    bench_invoices,
    bench_transactions,
)

if __name__ == "__main__":
    bench_admission.main()
    bench_gateway.main()
    bench_api.main()
    bench_engine.main()
    bench_transactions.main()
    bench_gas.main()
    bench_invoices.main()
