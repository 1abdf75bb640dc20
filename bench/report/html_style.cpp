#include "bench/report/html_style.hpp"

namespace pilotfish::bench {

std::string_view report_style() {
  return R"css(
:root {
  color-scheme: light dark;
  --page: #fff; --card: #f6f7f9; --line: #d9dde3; --grid: #e6e9ee; --text: #1b2028; --dim: #5a6472;
  --good: #0a6b46; --bad: #b3261e; --failed: #b3261e; --track: #e9ecf0;
  --c0: #717b88; --c1: #0b62b8; --c2: #c96a00; --c3: #0c8f6f; --c4: #9c2f86; --c5: #0897b4;
  --c6: #7a5230; --c7: #2f3742;
  --i0: #c3cad3; --i1: #0b62b8; --i2: #e69a1f; --i3: #0c8f6f; --i4: #b65fa5; --i5: #59b7ea;
  --i6: #a04a12; --i7: #d9c52f; --i8: #4a3f8f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --line: #333c48; --grid: #28303b; --text: #e7ebf0;
    --dim: #9ea9b6; --good: #5fd0a0; --bad: #ff8f85; --failed: #ff7a6e; --track: #262e38;
    --c0: #97a2b0; --c1: #62aaff; --c2: #f2a340; --c3: #3ecfa3; --c4: #e58bd2; --c5: #62d4ea;
    --c6: #cfa67c; --c7: #d5dbe3;
    --i0: #4a5563; --i1: #4f97ea; --i2: #e69a1f; --i3: #23a583; --i4: #d27fc2; --i5: #8ed2f5;
    --i6: #c2703a; --i7: #e0cf4f; --i8: #8d82d8;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 24px 20px 64px; max-width: 1000px; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 21px; margin: 44px 0 12px; padding-top: 12px; border-top: 1px solid var(--line); }
h3 { font-size: 16px; margin: 26px 0 8px; }
p { margin: 6px 0; }
h1, h2, h3, p, li, td, th { overflow-wrap: anywhere; }
.dim { color: var(--dim); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 14px 0; }
.facts dt { color: var(--dim); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: 13px/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre {
  background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px;
  overflow-x: auto; margin: 6px 0 14px;
}
.notes {
  border-left: 4px solid var(--c2); background: var(--card); padding: 8px 14px; margin: 16px 0;
  border-radius: 0 6px 6px 0;
}
.notes ul { margin: 4px 0; padding-left: 20px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; min-width: 100%; }
th, td { padding: 4px 12px 4px 0; text-align: left; border-bottom: 1px solid var(--grid);
  vertical-align: top; }
thead th { color: var(--dim); font-weight: 600; border-bottom: 1px solid var(--line); }
th[scope=row] { font-weight: 500; min-width: 9em; }
td.n, th.n { text-align: right; min-width: 5.5em; }
td.n { white-space: nowrap; overflow-wrap: normal; }
tr.group > th { padding-top: 14px; border-bottom-color: var(--line); }
tr.first > * { border-top: 1px solid var(--line); }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.small { font-size: 12.5px; color: var(--dim); font-weight: 400; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(290px, 100%), 1fr));
  gap: 14px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 12px 14px 10px; margin: 0; }
.card h3 { margin: 0 0 8px; font-size: 15px; }
.card svg { max-width: 340px; }
.card .big { font-size: 26px; font-weight: 650; line-height: 1.15; margin: 2px 0; }
figure { margin: 10px 0 18px; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--text); }
svg .tick { fill: var(--dim); }
svg .value { font-weight: 600; font-size: 13px; }
svg .name { font-weight: 600; }
svg .grid { stroke: var(--grid); }
svg .axis { stroke: var(--dim); }
svg .track { fill: var(--track); }
svg .failed { fill: var(--failed); }
svg .whisker { stroke: var(--text); stroke-width: 1.4; }
svg .curve { fill: none; stroke-width: 2.4; stroke-linejoin: round; }
svg .hit { fill: transparent; }
svg .hit:hover { fill: var(--dim); fill-opacity: .5; }
svg .area { stroke: var(--page); stroke-width: .6; }
svg .area:hover { fill-opacity: .75; }
svg .event { stroke: var(--text); stroke-opacity: .65; stroke-dasharray: 3 3; }
svg .halo { fill: var(--dim); stroke: var(--page); stroke-width: 4px; paint-order: stroke;
  stroke-linejoin: round; }
svg .thin { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
svg .band { fill: var(--i0); fill-opacity: .55; }
svg .middle { fill: none; stroke: var(--dim); stroke-width: 1.4; stroke-dasharray: 5 3; }
svg .badge { fill: var(--text); }
svg .number { fill: var(--page); font-size: 10px; font-weight: 700; }
.narrow { display: none; }
@media (max-width: 640px) {
  body { padding: 16px 12px 48px; }
  h1 { font-size: 24px; }
  .wide { display: none; }
  .narrow { display: block; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: 6px; }
}
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 4px 0 8px; padding: 0;
  list-style: none; font-size: 13.5px; }
.legend svg { display: inline-block; width: 26px; height: 12px; margin-right: 6px;
  vertical-align: -1px; }
.events { columns: 2 300px; font-size: 13.5px; padding-left: 26px; margin: 4px 0; }
details { margin: 8px 0; }
summary { cursor: pointer; color: var(--dim); padding: 3px 0; }
summary:hover, summary:focus-visible { color: var(--text); }
summary strong { color: var(--text); }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0; margin: 12px 0; list-style: none; }
a { color: var(--c1); }
.c0 { stroke: var(--c0); } .bar.c0, text.c0 { fill: var(--c0); stroke: none; }
.c1 { stroke: var(--c1); } .bar.c1, text.c1 { fill: var(--c1); stroke: none; }
.c2 { stroke: var(--c2); } .bar.c2, text.c2 { fill: var(--c2); stroke: none; }
.c3 { stroke: var(--c3); } .bar.c3, text.c3 { fill: var(--c3); stroke: none; }
.c4 { stroke: var(--c4); } .bar.c4, text.c4 { fill: var(--c4); stroke: none; }
.c5 { stroke: var(--c5); } .bar.c5, text.c5 { fill: var(--c5); stroke: none; }
.c6 { stroke: var(--c6); } .bar.c6, text.c6 { fill: var(--c6); stroke: none; }
.c7 { stroke: var(--c7); } .bar.c7, text.c7 { fill: var(--c7); stroke: none; }
.curve.c0 { stroke-dasharray: 2 4; stroke-linecap: round; } .curve.c2 { stroke-dasharray: 9 4; }
.curve.c3 { stroke-dasharray: 12 3 3 3; } .curve.c4 { stroke-dasharray: 5 3; }
.curve.c5 { stroke-dasharray: 16 4; } .curve.c6 { stroke-dasharray: 3 3; }
.curve.c7 { stroke-dasharray: 8 3 2 3 2 3; }
svg .name { stroke: none; }
.thin.i1 { stroke: var(--i1); } .thin.i2 { stroke: var(--i2); } .thin.i3 { stroke: var(--i3); }
.thin.i4 { stroke: var(--i4); } .thin.i5 { stroke: var(--i5); } .thin.i6 { stroke: var(--i6); }
.thin.i7 { stroke: var(--i7); } .thin.i8 { stroke: var(--i8); }
.i0 { fill: var(--i0); } .i1 { fill: var(--i1); } .i2 { fill: var(--i2); } .i3 { fill: var(--i3); }
.i4 { fill: var(--i4); } .i5 { fill: var(--i5); } .i6 { fill: var(--i6); } .i7 { fill: var(--i7); }
.i8 { fill: var(--i8); }
svg .thin.thin { fill: none; }
@media print {
  body { max-width: none; }
  details:not([open]) > summary { display: none; }
}
)css";
}

}  // namespace pilotfish::bench
