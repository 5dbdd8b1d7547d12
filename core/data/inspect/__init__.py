"""Dataset inspection, the reading half: what a file is, its faults line by line, repairs and conversions. No torch, no page.

`scan.scan` inspects, `read.iter_rows` streams rows, `repair.repair` and `convert.convert` write copies; `records` says what comes out.
"""
