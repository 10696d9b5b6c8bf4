"""The style sheet of pages."""

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 Georgia, "Times New Roman", serif; color: #222; background: #fff;
  max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.3rem; font-family: ui-monospace, Menlo, Consolas, monospace;
  overflow-wrap: anywhere; border-bottom: 2px solid #2b6a99; padding-bottom: .5rem; }
h2 { font-size: 1.25rem; margin-top: 2.4rem; color: #2b6a99; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
nav a { margin-right: 1.2rem; color: #2b6a99; }
pre { font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; background: #f5f7f9;
  padding: .8rem 1rem; overflow-x: auto; white-space: pre-wrap; }
.table { overflow-x: auto; margin: 1.2rem 0; font-size: .88rem; }
table { border-collapse: collapse; }
caption { padding-bottom: .4rem; white-space: nowrap; }
thead th { border-bottom: 1.5px solid #222; border-top: 1.5px solid #222; }
th, td { padding: .15rem .7rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
tbody th { padding-top: .5rem; font-style: italic; font-weight: normal; }
tbody tr:last-child td { border-bottom: 1.5px solid #222; }
td:last-child { white-space: normal; }
figure { margin: 1.6rem 0; }
img { max-width: 100%; height: auto; }
figcaption { font-size: .88rem; color: #555; }
.formula { overflow-x: auto; margin: .6rem 0; }
math { font-size: 1.05rem; text-align: left; }
summary { cursor: pointer; color: #2b6a99; }
@media print { nav { display: none; } figure, .table { break-inside: avoid; } }
"""
