# SPDX-License-Identifier: GPL-2.0
"""One HTML page that needs no other file, and directories that appear whole."""

import base64
import contextlib
import html
import os
import shutil
import signal
import sys
import tempfile

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1c1c1c; background: #fff;
       max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin-bottom: .3rem; }
h2 { font-size: 1.25rem; margin-top: 2.4rem; border-bottom: 1px solid #ddd; padding-bottom: .2rem; }
p, li { max-width: 48rem; }
.lead { color: #555; margin-top: 0; }
.note { background: #fff7e0; border-left: 4px solid #e69f00; padding: .6rem 1rem; max-width: 48rem; }
.verdict { background: #eaf4fb; border-left: 4px solid #0072b2; padding: .2rem 1rem; max-width: 48rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; margin: .8rem 0; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #eee; white-space: nowrap;
         font-variant-numeric: tabular-nums; }
th { border-bottom: 2px solid #bbb; font-weight: 600; }
th.text, td.text { text-align: left; }
tr.first td { border-top: 2px solid #ddd; }
figure { margin: 1.4rem 0; }
figure img { max-width: 100%; height: auto; border: 1px solid #eee; }
figcaption { font-size: .88rem; color: #555; max-width: 48rem; }
code, pre { font-family: "DejaVu Sans Mono", monospace; font-size: .88em; }
pre { background: #f6f6f6; padding: .7rem 1rem; overflow-x: auto; }
"""


def escape(text):
    return html.escape(str(text))


class Page:
    def __init__(self, title, lead):
        self.title = title
        self.parts = [f"<h1>{escape(title)}</h1>", f'<p class="lead">{escape(lead)}</p>']

    def heading(self, text):
        self.parts.append(f"<h2>{escape(text)}</h2>")

    def text(self, text, kind=None):
        opening = f'<p class="{kind}">' if kind else "<p>"
        self.parts.append(f"{opening}{escape(text)}</p>")

    def items(self, items, kind=None):
        body = "".join(f"<li>{escape(item)}</li>" for item in items)
        listing = f"<ul>{body}</ul>"
        self.parts.append(f'<div class="{kind}">{listing}</div>' if kind else listing)

    def code(self, text):
        self.parts.append(f"<pre>{escape(text)}</pre>")

    def table(self, header, rows, text_columns=1, groups=None):
        """groups: rows whose first cell differs from the one above get a line."""
        def row(cells, tag, opening="<tr>"):
            made = "".join(f'<{tag}{TEXT if i < text_columns else ""}>{escape(cell)}</{tag}>'
                           for i, cell in enumerate(cells))
            return f"{opening}{made}</tr>"
        body, last = [], None
        for cells in rows:
            first = groups and last is not None and cells[0] != last
            body.append(row(cells, "td", '<tr class="first">' if first else "<tr>"))
            last = cells[0]
        self.parts.append('<div class="wide"><table><thead>' + row(header, "th") + "</thead><tbody>"
                          + "".join(body) + "</tbody></table></div>")

    def figure(self, path, caption):
        with open(path, "rb") as image:
            data = base64.b64encode(image.read()).decode()
        self.parts.append(f'<figure><img src="data:image/png;base64,{data}" alt="{escape(caption)}">'
                          f"<figcaption>{escape(caption)}</figcaption></figure>")

    def write(self, path):
        with open(path, "w", encoding="utf-8") as out:
            out.write(f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
                      f'<meta name="viewport" content="width=device-width">'
                      f"<title>{escape(self.title)}</title><style>{STYLE}</style></head>\n<body>\n"
                      + "\n".join(self.parts) + "\n</body></html>\n")


TEXT = ' class="text"'


@contextlib.contextmanager
def directory(target):
    """A directory to write to, which becomes target when all went well, else vanishes."""
    target = os.path.abspath(target)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(target) and os.listdir(target) \
            and not os.path.exists(os.path.join(target, "index.html")):
        raise OSError(f"{target} holds something that is not a report: name another --out")
    work = tempfile.mkdtemp(prefix=f".{os.path.basename(target)}.", dir=os.path.dirname(target))
    os.chmod(work, 0o755)
    try:
        yield work
        old = work + ".old"
        if os.path.isdir(target):
            os.rename(target, old)
        os.rename(work, target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run_main(name, main):
    """Errors as one sentence; a signal ends it with everything cleaned up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print(f"\n{name}: interrupted, nothing was changed", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
    except Exception as error:  # pylint: disable=broad-except
        if os.environ.get("PAGING_DEBUG"):
            raise
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(1)
