"""The Data page's own classes."""

from __future__ import annotations

DATA_CSS = """
.st-key-data-pickers [data-testid=stFileUploaderDropzone] { min-height: 2.5rem; padding: .2rem .6rem; flex-direction: row;
  align-items: center; flex-wrap: nowrap; gap: .8rem; }
[class*="st-key-chart-"] p[data-name] { padding-right: 5rem; }
.ls-lead code, .ls-foot code { font-size: .92em; padding: .05em .25em; }
.ls-group { display: flex; flex-wrap: wrap; gap: .1rem .7rem; align-items: baseline; }
.ls-group b { font-weight: 650; } .ls-group .ls-count { font-variant-numeric: tabular-nums; color: var(--ls-muted); }
.ls-group .ls-foot { flex-basis: 100%; }
.ls-advice { display: grid; grid-template-columns: 5.2rem minmax(0, 1fr); gap: .1rem .7rem; font-size: .88rem; line-height: 1.45;
  padding: .18rem 0; }
.ls-advice b { font-weight: 650; color: var(--ls-muted); } .ls-advice.stops b, .ls-advice.warning b { color: var(--ls-worse); }
.ls-facts { display: flex; flex-wrap: wrap; gap: .4rem 1.6rem; font-variant-numeric: tabular-nums; }
.ls-facts div { line-height: 1.3; } .ls-facts small { display: block; color: var(--ls-muted); font-size: .78rem; }
.ls-facts b { font-size: 1.08rem; font-weight: 600; }
.ls-label { font-size: .8rem; font-weight: 600; color: var(--ls-muted); }
.ls-key { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; vertical-align: -.08rem; margin: 0 .3rem;
  background: color-mix(in srgb, var(--ls-better) 28%, transparent); border-bottom: 2px solid var(--ls-better); }
.ls-note-failed { color: var(--ls-worse); font-size: .88rem; white-space: pre-wrap; overflow-wrap: anywhere; }
"""
