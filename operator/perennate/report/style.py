"""The style sheet of the page, and its content security policy, which allows one style and one script by hash."""

from __future__ import annotations

import base64
import hashlib

from perennate.report.script import SCRIPT

CSS = r"""
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
p,li,h1{overflow-wrap:anywhere}[hidden]{display:none!important}
.search{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;margin-top:28px}
.search input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--soft);border-radius:6px;
padding:6px 10px;flex:0 1 320px;min-width:0}
.scroll{overflow-x:auto}#columns td:empty::after{content:"\2013"}
.chip{display:inline-block;border:1px solid;border-radius:99px;
padding:0 10px;font-size:13px;font-weight:600;white-space:nowrap}
.chip.Drifted{color:var(--Drifted)}.chip.Warning{color:var(--Warning)}.chip.Changed{color:var(--Changed)}
.chip.None{color:var(--None)}.chip.Unknown{color:var(--Unknown)}.fault{color:var(--fault);font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(340px,100%),1fr));gap:16px}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px}
.head{display:flex;gap:10px;justify-content:space-between;align-items:flex-start}
article table{font-size:13px;margin-top:6px}article th,article td{padding:3px 6px}
article th[scope=row]{font-size:13px;font-weight:400}
svg{display:block;width:100%;height:auto;margin-top:8px}
svg text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--soft)}
.ref{fill:var(--ref)}.now{fill:var(--cur)}.cur{fill:none;stroke:var(--cur);stroke-width:2}
.axis,.tick{stroke:var(--soft);stroke-width:1}.grid{stroke:var(--line);stroke-width:1}
.mark{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 3}
.track{fill:var(--line)}.fill.Drifted{fill:var(--Drifted)}.fill.Warning{fill:var(--Warning)}
.fill.Changed{fill:var(--Changed)}.fill.None{fill:var(--None)}.fill.Unknown{fill:var(--Unknown)}
.key{display:flex;gap:18px;font-size:13px;color:var(--soft);margin:0 0 12px;align-items:center;flex-wrap:wrap}
.key svg{width:26px;margin:0 6px 0 0}.key span{display:flex;align-items:center}
.hint{border-left:3px solid var(--Warning);padding-left:10px}
summary{cursor:pointer;font-weight:600;margin:28px 0 12px}
ul{margin:6px 0;padding-left:20px}code{font-size:13px;overflow-wrap:anywhere}
footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--line);font-size:13px;color:var(--soft)}
@media(max-width:700px){body{padding:20px 14px 48px}h1{font-size:21px}article{padding:12px}
.wide thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.wide tbody{display:block}.wide tr{display:flex;flex-wrap:wrap;padding:8px 0;border-bottom:1px solid var(--line)}
.wide th,.wide td{display:flex;flex:1 0 100%;justify-content:space-between;gap:12px;padding:2px 0;border:0;
white-space:normal;text-align:right}.wide td:empty{display:none}.wide td::before{color:var(--soft);text-align:left}
#columns th{flex:1 1 50%;text-align:left}#columns td:nth-child(2){flex:0 0 auto;margin-left:12px;align-items:flex-start}
#columns td:nth-child(4),#columns td:nth-child(5),#columns td:nth-child(6){display:none}
#columns td:nth-child(3)::before{content:"effect"}#columns td:nth-child(7)::before{content:"missing"}
#columns td:nth-child(8)::before{content:"unseen"}#columns td:nth-child(9)::before{content:"out of range"}
#performance td:nth-child(2)::before{content:"value"}#performance td:nth-child(3)::before{content:"interval"}
#performance td:nth-child(4)::before{content:"reference"}#performance td:nth-child(5)::before{content:"rows"}}
@media print{body{max-width:none}article{break-inside:avoid}}
""".strip()


def content_policy() -> str:
    """Nothing may be loaded or sent, and only this style and the script for searching apply."""
    rules = f"style-src {_source(CSS)}; script-src {_source(SCRIPT)}"
    return f"default-src 'none'; {rules}; base-uri 'none'; form-action 'none'"


def _source(text: str) -> str:
    """An inline style or script as a source of a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
