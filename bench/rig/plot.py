"""A picture of what was answered in time, as SVG."""

from xml.sax.saxutils import escape

from .calm import BUCKET

WIDTH, HEIGHT, LEFT, TOP = 760, 240, 46, 34
COLOURS = {"pgweir": "#1a7f37", "pgbouncer": "#cf222e", "direct": "#57606a"}


def shares(scenario, series):
    """`series`: target name to the percentage of each tenth of a second."""
    count = max(len(values) for values in series.values())
    across, down = (WIDTH - LEFT - 12) / count, HEIGHT - TOP - 36

    def x(bucket):
        return LEFT + bucket * across

    def y(percent):
        return TOP + down * (1 - percent / 100)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
             'font-size="12" fill="#24292f">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
             f'<text x="{LEFT}" y="18" font-size="13">Quick queries answered within 250 ms, beside '
             f'{escape(scenario.title)}</text>']
    first, last = (1000 * second / BUCKET for second in scenario.trouble)
    parts.append(f'<rect x="{x(first):.1f}" y="{TOP}" width="{x(last) - x(first):.1f}" height="{down}" fill="#f6f8fa"/>')
    for percent in (0, 50, 100):
        parts.append(f'<line x1="{LEFT}" x2="{x(count):.1f}" y1="{y(percent):.1f}" y2="{y(percent):.1f}" stroke="#d0d7de"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(percent) + 4:.1f}" text-anchor="end">{percent} %</text>')
    for second in range(0, int(count * BUCKET / 1000) + 1, 2):
        parts.append(f'<text x="{x(second * 1000 / BUCKET):.1f}" y="{HEIGHT - 20}" text-anchor="middle">{second} s</text>')
    for place, (name, values) in enumerate(series.items()):
        colour = COLOURS.get(name, "#0969da")
        points = " ".join(f"{x(i + 0.5):.1f},{y(value):.1f}" for i, value in enumerate(values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{LEFT + 90 * place}" y="{HEIGHT - 4}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
