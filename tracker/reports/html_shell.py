"""The frame of every page: one file, nothing from the network, light or dark as one likes."""

from html import escape

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --dim: #5d6675; --line: #d6dae1;
  --paper: #ffffff; --card: #f5f6f8; --hue: #1f6feb; --bad: #c62828; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --dim: #9aa4b5; --line: #39414f;
  --paper: #14181f; --card: #1d232d; --hue: #6ea8fe; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem; max-width: 76rem; background: var(--paper);
  color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.8rem 0 .5rem; }
p, figcaption, .dim { color: var(--dim); margin: .2rem 0; }
a { color: var(--hue); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.3rem, 1fr)); gap: .6rem;
  margin: 1rem 0; }
.facts div { background: var(--card); border-radius: .4rem; padding: .5rem .7rem; }
.facts b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.bad { color: var(--bad); }
.pictures { display: grid; gap: .6rem;
  grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); }
figure { margin: 0; }
.pictures img { width: 100%; height: auto; border-radius: .4rem; display: block; }
.chart { margin: 0 0 1.1rem; }
.chart figcaption { display: flex; justify-content: space-between; gap: 1rem; flex-wrap: wrap; }
.chart figcaption b { color: var(--ink); font-weight: 600; }
.plot { position: relative; height: 6.5rem; background: var(--card); border-radius: .4rem;
  border: 1px solid var(--line); overflow: hidden; }
.plot svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.plot span { position: absolute; left: .2rem; padding: 0 .2rem; font-size: .75rem;
  color: var(--dim); background: var(--card); border-radius: .2rem; }
.plot .top { top: .1rem; } .plot .low { bottom: .1rem; }
.plot path { fill: none; stroke: var(--hue); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.plot .bars { fill: var(--bad); stroke: none; }
.plot .area { fill: var(--hue); fill-opacity: .16; stroke: none; }
.axis { display: flex; justify-content: space-between; font-size: .75rem; color: var(--dim); }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0;
  background: var(--paper); max-width: 16rem; overflow: hidden; text-overflow: ellipsis; }
th { background: var(--card); } th:first-child { background: var(--card); }
td.error { text-align: left; white-space: normal; color: var(--bad); }
td.error div { position: sticky; left: 10rem; max-width: min(44rem, calc(100vw - 13rem));
  overflow-wrap: anywhere; }
th button { all: unset; cursor: pointer; }
th button:focus-visible { outline: 2px solid var(--hue); }
th[aria-sort] button::after { content: " \\2193"; }
th[aria-sort="ascending"] button::after { content: " \\2191"; }
@media (max-width: 40rem) { body { padding: .8rem; } .facts b { font-size: 1.1rem; }
  th:first-child, td:first-child { max-width: 9rem; } }
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


_UNKNOWN = "-"


def html_page(title: str, body: str) -> str:
    """A whole document.

    Args:
        title: Text.
        body: HTML.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{shown(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def shown(text: str) -> str:
    """As HTML shows it, whatever is in it; bytes of a file's name that are no text become marks."""
    return escape(text.encode("utf-8", "replace").decode())


def fact(name: str, value: str, *, bad: bool = False) -> str:
    """A number with its name."""
    kind = ' class="bad"' if bad else ""
    return f"<div><b{kind}>{shown(value)}</b>{shown(name)}</div>"


def clock(seconds: float) -> str:
    """As players show it: 1:02:03, 2:03 or 3.4 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def number(value: float | None, digits: int = 2) -> str:
    """With so many digits behind the point; a dash where nothing is known."""
    return _UNKNOWN if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """Of a share."""
    return _UNKNOWN if value is None else f"{100 * value:.1f} %"
