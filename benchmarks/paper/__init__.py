"""The paper's Tables 4 to 7 in miniature, on open data; see docs/PAPER.md.

cells.py        every row of every table, on every task: one short training each
recipe.py       a cell -> the configuration of the trainer
store.py        the multi-person benchmark, made once, with its checksum
run.py          train, test, write a JSON; resumable
published.py    what the paper says
report.py       the tables of docs/PAPER.md, from the JSONs
charts.py       curves and bars;  heads.py  the heads of Fig. 5
"""
