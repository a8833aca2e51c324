"""The little of SVG that the charts need: text, lines, and panels with two logarithmic axes.

Colours are classes, so that a dark page gets its own.
"""

import html
import math

LIGHT = {"ground": "#ffffff", "ink": "#1c2530", "soft": "#5b6673", "grid": "#e6e9ed", "axis": "#b4bcc6",
         "float": "#d9622b", "double": "#2b6cc4",
         "shapes": ["#2b6cc4", "#d9622b", "#2f9e63", "#8a4fc7", "#b8860b"]}
DARK = {"ground": "#14181d", "ink": "#eef1f4", "soft": "#a3adb8", "grid": "#272e36", "axis": "#56616d",
        "float": "#ff9a66", "double": "#6fb0ff",
        "shapes": ["#6fb0ff", "#ff9a66", "#5fd39a", "#c39bff", "#e3bd55"]}


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


def text(x, y, content, css, anchor="start"):
    return f'<text x="{number(x)}" y="{number(y)}" class="{css}" text-anchor="{anchor}">{html.escape(content)}</text>'


def line(x1, y1, x2, y2, css):
    return f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" class="{css.strip()}"/>'


def legend(x, y, entries, step=20):
    parts = []
    for index, (css, name) in enumerate(entries):
        row = y + index * step
        parts += [line(x, row, x + 26, row, f"curve {css}"), text(x + 36, row + 4, name, "label")]
    return parts


def colours(palette):
    rules = [
        f".ground{{fill:{palette['ground']}}}",
        f".title,.heading,.label{{fill:{palette['ink']}}}",
        f".note,.tick{{fill:{palette['soft']}}}",
        f".grid{{stroke:{palette['grid']}}}",
        f".axis{{stroke:{palette['axis']}}}",
        f".neutral{{stroke:{palette['ink']}}}",
        f".ideal{{stroke:{palette['axis']}}}",
    ]
    names = [("float", palette["float"]), ("double", palette["double"])]
    names += [(f"shape{index}", colour) for index, colour in enumerate(palette["shapes"])]
    rules += [f".{name}{{stroke:{colour}}}.dot.{name}{{fill:{colour};stroke:{palette['ground']}}}" for name, colour in names]
    return "\n".join(rules)


def document(width, height, title, parts):
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" \
font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif" role="img">
<title>{html.escape(title)}</title>
<style>
.title{{font-size:21px;font-weight:600}}.heading{{font-size:13.5px;font-weight:600}}
.label{{font-size:12.5px}}.note{{font-size:12px}}.tick{{font-size:11.5px}}
.grid,.axis{{stroke-width:1}}
.curve{{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}}.dashed{{stroke-dasharray:5 4}}
.ideal{{stroke-width:1.5}}.dot{{stroke-width:1}}
{colours(LIGHT)}
@media (prefers-color-scheme: dark) {{
{colours(DARK)}
}}
</style>
<rect class="ground" width="{width}" height="{height}" rx="8"/>
""" + "\n".join(parts) + "\n</svg>\n"


class Panel:
    """A plot at (x, y): ranges are (least, greatest); x ticks are powers of ten, or of `powers`."""

    def __init__(self, x, y, width, height, xs, ys, powers=10):
        self.x, self.y, self.width, self.height, self.powers = x, y, width, height, powers
        self.xs = xs
        factor = max(ys[1] / ys[0], 1.5) ** 0.04  # air above and below
        self.ys = (ys[0] / factor, ys[1] * factor)

    def place(self, value, span, length):
        return length * math.log(value / span[0]) / math.log(span[1] / span[0])

    def at(self, x, y):
        return self.x + self.place(x, self.xs, self.width), self.y + self.height - self.place(y, self.ys, self.height)

    def ticks(self, span, most, base, least=3):
        """Powers of the base within the span, thinned to at most so many; finer steps where there are few."""
        first, last = math.floor(math.log(span[0], base) + 1e-9), math.ceil(math.log(span[1], base) - 1e-9)
        for steps in ([1], [1, 2, 5] if base == 10 else [1, 1.25, 1.5, 1.75]):
            values = [step * float(base) ** exponent for exponent in range(first, last + 1) for step in steps]
            values = [value for value in values if span[0] * 0.999 <= value <= span[1] * 1.001]
            if len(values) >= least:
                break
        return values[::-(-len(values) // most) or 1]

    def frame(self, title, subtitle, x_name, y_label):
        x, y, bottom = self.x, self.y, self.y + self.height
        parts = [text(x, y - 27, title, "heading"), text(x, y - 11, subtitle, "note")]
        for value in self.ticks(self.ys, 8, 2 if self.ys[1] / self.ys[0] < 4 and self.powers == 2 else 10):
            height = self.at(self.xs[0], value)[1]
            parts += [line(x, height, x + self.width, height, "grid"), text(x - 8, height + 4, y_label(value), "tick", "end")]
        for value in self.ticks(self.xs, 6, self.powers, least=2):
            position = self.at(value, self.ys[0])[0]
            label = f"{value:,g}"
            parts += [line(position, bottom, position, bottom + 4, "axis"), text(position, bottom + 18, label, "tick", "middle")]
        parts += [line(x, bottom, x + self.width, bottom, "axis"), text(x + self.width / 2, bottom + 36, x_name, "note", "middle")]
        return parts

    def curve(self, points, css, dots=True):
        places = [self.at(*point) for point in sorted(points)]
        path = " ".join(f"{number(x)},{number(y)}" for x, y in places)
        parts = [f'<polyline points="{path}" class="curve {css.strip()}"/>']
        if dots:
            colour = css.split()[0]
            parts += [f'<circle cx="{number(x)}" cy="{number(y)}" r="3" class="dot {colour}"/>' for x, y in places]
        return parts
