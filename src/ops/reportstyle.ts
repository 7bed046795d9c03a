/** The style of the report. Colours are never the only sign: a failed turn is taller, a question is above, a queue below. */
export const reportStyle = `
:root{color-scheme:light dark;--bg:#fbfbfa;--fg:#1c1d1f;--dim:#5b6067;--line:#dcdee2;--card:#fff;--ok:#2a6fdb;--bad:#c62828;--cut:#b25e00;--ask:#7a3fc0;--que:#7b828c}
@media (prefers-color-scheme:dark){:root{--bg:#16181b;--fg:#e9eaec;--dim:#a3a9b2;--line:#33373d;--card:#1f2226;--ok:#6ea3f5;--bad:#f2706b;--cut:#e6a04d;--ask:#b78cf0;--que:#8b929c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:75rem;padding:1.25rem clamp(.75rem,3vw,2rem) 3rem;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:1.5rem;margin:0}
header p{margin:.15rem 0 1rem;color:var(--dim)}
.zone{font-size:.85em}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem;margin:0 0 1.25rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.55rem .75rem}
.card dt{color:var(--dim);font-size:.85rem}
.card dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
.card small{display:block;font-size:.8rem;font-weight:400;color:var(--dim)}
.card.bad dd{color:var(--bad)}
.card.bad small,.card.asks small{color:var(--dim)}
.card.asks dd{color:var(--ask)}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1rem;margin:0 0 .5rem;font-size:.85rem;color:var(--dim)}
.legend span::before{content:"";display:inline-block;width:.9rem;height:.7rem;margin-right:.35rem;border-radius:2px;background:var(--ok);vertical-align:-1px}
.legend .bad::before{background:var(--bad);height:.95rem}
.legend .cut::before{background:var(--cut)}
.legend .run::before{opacity:.5}
.legend .ask::before{background:var(--ask);height:.3rem;vertical-align:.35rem}
.legend .que::before{background:var(--que);height:.2rem}
.axis{position:sticky;top:0;z-index:1;height:1.5rem;background:var(--bg);border-bottom:1px solid var(--line);font-size:.75rem;color:var(--dim);font-variant-numeric:tabular-nums;overflow:hidden}
.axis span{position:absolute;padding-left:.25rem;border-left:1px solid var(--line);line-height:1.5rem;white-space:nowrap}
.thread{padding:.6rem 0 .45rem;border-bottom:1px solid var(--line)}
.thread h2{font-size:1rem;margin:0;overflow-wrap:anywhere}
.thread p{margin:0 0 .3rem;font-size:.85rem;color:var(--dim)}
code{font-size:.85em;color:var(--dim);font-weight:400}
.state{font-size:.75rem;font-weight:400;border:1px solid var(--line);border-radius:1rem;padding:0 .5rem;color:var(--dim)}
.state.error,.state.blocked,.state.gone{color:var(--bad);border-color:currentColor}
.state.waiting{color:var(--ask);border-color:currentColor}
.state.busy{color:var(--ok);border-color:currentColor}
svg{display:block;width:100%;height:30px;background:var(--card);border-radius:3px}
.grid{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke;fill:none}
svg .ok{fill:var(--ok)}svg .bad{fill:var(--bad)}svg .cut{fill:var(--cut)}svg .run{fill:var(--ok);opacity:.5}svg .ask{fill:var(--ask)}svg .que{fill:var(--que)}
details{margin-top:.25rem;font-size:.85rem}
summary{cursor:pointer;color:var(--dim);padding:.2rem 0}
summary:focus-visible{outline:2px solid var(--ok);outline-offset:2px}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{font-weight:600;text-align:left}
th,td{padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--line);vertical-align:top;white-space:nowrap}
td:last-child{white-space:normal;overflow-wrap:anywhere;min-width:12rem}
@media (min-width:60rem){
.axis{margin-left:19rem}
.thread{display:grid;grid-template-columns:18rem 1fr;grid-template-rows:auto 1fr auto;column-gap:1rem;padding:.45rem 0 .3rem}
.thread svg{grid-column:2;grid-row:1/span 2;align-self:start;height:34px}
.thread details{grid-column:1/-1;margin-top:0}
.thread p{margin:0}
}
.usage{margin-top:1.5rem;font-size:.9rem}
.usage h2{font-size:1.05rem;margin:0 0 .3rem}
.usage td:nth-child(2){width:40%;min-width:6rem;vertical-align:middle}
.usage td:last-child{min-width:0;white-space:nowrap}
.bar{display:block;height:.7rem;border-radius:2px;background:var(--line)}
.bar i{display:block;height:100%;border-radius:2px;background:var(--ok)}
.note,.empty,footer{color:var(--dim)}
footer{margin-top:1.5rem;font-size:.8rem}
`;
