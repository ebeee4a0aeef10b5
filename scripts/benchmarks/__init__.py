"""What the benchmarks share: results kept as JSON, and the page, the table and the chart that are made of them."""
