"""How the page looks: light and dark, on a desk, a phone and paper. No file, no font and no image is fetched."""

from __future__ import annotations

import base64
import hashlib

STYLE = """\
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #55606c; --paper: #ffffff; --panel: #f5f7f9; --line: #c3cad2;
  --good: #0f5f2c; --bad: #9c1024; --stroke: #6a7683; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --soft: #a9b4c0; --paper: #11161b; --panel: #1a2129;
  --line: #3c4753; --good: #7ad894; --bad: #ff9d96; --stroke: #8d99a6; } }
@page { size: A4; margin: 16mm 14mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 64rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0 0 .75rem; font-size: 1.6rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); font-size: 1.25rem; }
h3 { margin: 1.75rem 0 .5rem; font-size: 1.05rem; }
h4 { margin: 1.25rem 0 .25rem; font-size: .95rem; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: inherit; }
code { font: .875em/1.45 ui-monospace, "Cascadia Mono", Consolas, "DejaVu Sans Mono", Menlo, monospace; }
.soft, footer { color: var(--soft); }
.outcome { margin: 0 0 1rem; padding: .75rem 1rem; border: 1px solid var(--line); border-left: .5rem solid currentColor;
  font-size: 1.15rem; font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); }
.verdict { font-weight: 600; white-space: nowrap; } .role { overflow-wrap: normal; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1.25rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
table { width: 100%; margin: .5rem 0; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .4rem .6rem; border: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { background: var(--panel); white-space: nowrap; } tbody th { font-weight: 600; }
td.number { text-align: right; white-space: nowrap; }
ul { margin: .25rem 0; padding-left: 1.2rem; }
.chain { display: grid; grid-template-columns: 22rem minmax(0, 1fr); gap: 1.5rem; align-items: start; }
svg { display: block; width: 100%; max-width: 22rem; height: auto; }
svg text { fill: var(--ink); font: 11.5px ui-monospace, "Cascadia Mono", Consolas, "DejaVu Sans Mono", Menlo, monospace; }
svg .title { font: 600 13px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
svg .how { fill: var(--soft); font: italic 11.5px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
svg .box { fill: var(--panel); stroke: var(--stroke); }
svg .arrow { fill: none; stroke: var(--stroke); stroke-width: 1.5; } svg .head { fill: var(--stroke); }
svg .artifact, svg .rule { stroke-width: 2; } svg .rule { stroke: var(--good); }
svg .refusal { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 6 4; } svg .witness { stroke-dasharray: 2 3; }
@media (max-width: 52rem) { .chain { grid-template-columns: minmax(0, 1fr); } }
@media screen and (max-width: 40rem) {
  body { padding: 1rem .75rem 2rem; } h1 { font-size: 1.35rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: .5rem; }
  table, tbody, tr, th, td { display: block; border: 0; } thead { display: none; }
  tr { margin-bottom: .75rem; border: 1px solid var(--line); }
  tbody th { background: var(--panel); } td.number { text-align: left; }
  td::before, tbody th::before { content: attr(data-label); display: block; color: var(--soft); font-size: .8rem;
    font-weight: 400; } }
@media print {
  :root { --ink: #000000; --soft: #3d444b; --paper: #ffffff; --panel: #ffffff; --line: #8a929a; --good: #0f5f2c;
    --bad: #9c1024; --stroke: #3d444b; }
  :root { font-size: 9.5pt; } body { max-width: none; padding: 0; } h2, h3, h4, thead { break-after: avoid; }
  tr, svg, .outcome { break-inside: avoid; } .chain { grid-template-columns: 70mm minmax(0, 1fr); gap: 6mm; } }
"""


def content_security_policy() -> str:
    """Return a policy that allows this style and nothing else: no script, no address, no form (CSP Level 3 §6.1, §6.3)."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
