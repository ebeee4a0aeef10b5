"""Shared by the benchmarks: results saved as JSON, and the page, table and chart made from them."""
