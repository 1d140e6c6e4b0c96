"""The style sheet of the page. The content security policy of the page allows it by its hash, and nothing else."""

from __future__ import annotations

import base64
import hashlib

CSS = """
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1c2024;--soft:#5d6670;--line:#dfe2e6;--ref:#b7c4d4;
--cur:#c2410c;--Drifted:#b42318;--Warning:#8a5a00;--Changed:#175cd3;--None:#1b7f4b;--Unknown:#5d6670;--fault:#7a2e9d}
@media(prefers-color-scheme:dark){:root{--bg:#15181c;--card:#1d2126;--ink:#e8eaed;--soft:#a2abb5;--line:#343a42;
--ref:#4a5a6e;--cur:#ff9f5a;--Drifted:#ff7b6e;--Warning:#f2b53c;--Changed:#7db1ff;--None:#5cd394;--Unknown:#a2abb5;
--fault:#d59bf0}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1120px;padding:32px 24px 64px;background:var(--bg);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:26px;line-height:1.25;margin:0 0 6px}h2{font-size:18px;margin:40px 0 12px}
h3{font-size:16px;margin:0;overflow-wrap:anywhere}p{margin:6px 0}a{color:inherit}.soft{color:var(--soft)}
header{border-left:6px solid var(--edge,var(--None));padding:4px 0 4px 18px}
.Drift{--edge:var(--Drifted)}.DataFault{--edge:var(--fault)}.Quiet{--edge:var(--None)}.Unknown{--edge:var(--Unknown)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:6px 10px;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;color:var(--soft);font-size:13px}
th[scope=row]{color:var(--ink);font-size:15px}
th:first-child,td:first-child,.left{text-align:left}th:first-child{white-space:normal;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
.chip{display:inline-block;border:1px solid;border-radius:99px;
padding:0 10px;font-size:13px;font-weight:600;white-space:nowrap}
.chip.Drifted{color:var(--Drifted)}.chip.Warning{color:var(--Warning)}.chip.Changed{color:var(--Changed)}
.chip.None{color:var(--None)}.chip.Unknown{color:var(--Unknown)}.fault{color:var(--fault);font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(340px,1fr));gap:16px}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px}
.head{display:flex;gap:10px;justify-content:space-between;align-items:flex-start}
dl{display:grid;grid-template-columns:auto 1fr 1fr;gap:2px 14px;margin:10px 0 0;font-size:13px}
dt,dd{margin:0}dd{text-align:right}dt{color:var(--soft)}
svg{display:block;width:100%;height:auto;margin-top:8px}
svg text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--soft)}
.ref{fill:var(--ref)}.now{fill:var(--cur)}.cur{fill:none;stroke:var(--cur);stroke-width:2}
.axis,.tick{stroke:var(--soft);stroke-width:1}.mark{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 3}
.track{fill:var(--line)}.fill.Drifted{fill:var(--Drifted)}.fill.Warning{fill:var(--Warning)}
.fill.Changed{fill:var(--Changed)}.fill.None{fill:var(--None)}.fill.Unknown{fill:var(--Unknown)}
.key{display:flex;gap:18px;font-size:13px;color:var(--soft);margin:0 0 12px;align-items:center;flex-wrap:wrap}
.key svg{width:26px;margin:0 6px 0 0}.key span{display:flex;align-items:center}
.hint{border-left:3px solid var(--Warning);padding-left:10px}
summary{cursor:pointer;font-weight:600;margin:28px 0 12px}
ul{margin:6px 0;padding-left:20px}code{font-size:13px;overflow-wrap:anywhere}
footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--line);font-size:13px;color:var(--soft)}
@media print{body{max-width:none}article{break-inside:avoid}}
""".strip()


def content_policy() -> str:
    """Nothing may be loaded, run or sent; only this style applies."""
    digest = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
