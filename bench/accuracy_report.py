# SPDX-License-Identifier: Apache-2.0
"""Table and plot of what bench/accuracy.py has found."""
import math
import pathlib

# ---- Numbers --------------------------------------------------------------------


def quantile(values, share):
    """Linear between order statistics; NaN of nothing."""
    values = sorted(v for v in values if not math.isnan(v))
    if not values:
        return math.nan
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def share_of(flags):
    flags = list(flags)
    return sum(flags) / len(flags) if flags else math.nan


def correlation(pairs):
    pairs = [p for p in pairs if not math.isnan(p[0] + p[1])]
    n = len(pairs)
    if n < 3:
        return math.nan
    mean_x = sum(x for x, _ in pairs) / n
    mean_y = sum(y for _, y in pairs) / n
    xx = sum((x - mean_x) ** 2 for x, _ in pairs)
    yy = sum((y - mean_y) ** 2 for _, y in pairs)
    xy = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
    return xy / math.sqrt(xx * yy) if xx > 0 and yy > 0 else math.nan


def mean(values):
    values = [v for v in values if not math.isnan(v)]
    return sum(values) / len(values) if values else math.nan


def energy_error(layers):
    """Sum of |found - true| over the sum of true energies."""
    found = [l for l in layers if not math.isnan(l["mj"])]
    true = sum(l["true_mj"] for l in found)
    return sum(abs(l["mj"] - l["true_mj"]) for l in found) / true if true else math.nan


def covered(layers):
    """1 for each layer whose interval holds the truth; those without are left out."""
    return [l["lo"] <= l["true_w"] <= l["hi"] for l in layers
            if not math.isnan(l["lo"] + l["hi"])]


def summarise(results):
    """Figures of one method over several runs."""
    good = [r for r in results if "layers" in r]
    layers = [l for r in good for l in r["layers"]]
    errors = [abs(l["w"] / l["true_w"] - 1) for l in layers]
    resolved = [l for l in layers if l["resolved"] == "yes"]
    return {
        "runs": len(results), "good": len(good),
        "median": quantile(errors, 0.5), "p95": quantile(errors, 0.95),
        "energy": mean([energy_error(r["layers"]) for r in good]),
        "correlation": mean([correlation([(l["w"], l["true_w"]) for l in r["layers"]])
                             for r in good]),
        "coverage": share_of(covered(layers)),
        "resolved": share_of(l["resolved"] == "yes" for l in layers),
        "resolved_coverage": share_of(covered(resolved)),
        "resolved_median": quantile([abs(l["w"] / l["true_w"] - 1) for l in resolved],
                                    0.5),
        "closure": max((abs(r["closure"]) for r in good
                        if not math.isnan(r["closure"])), default=math.nan),
        "seconds": max((r["seconds"] for r in good), default=math.nan),
        "mb": max((r["mb"] for r in good), default=math.nan),
    }


def groups(records):
    """(scenario, layers) and the records of it, in order of first appearance.

    Rails follow as scenarios of their own, "rails: VDD_CPU_CV".
    """
    found = {}
    for record in records:
        found.setdefault((record["scenario"], record["layers"]), []).append(record)
        fit = record.get("methods", {}).get("fit", {})
        for rail, result in fit.get("rails", {}).items():
            name = "{}: {}".format(record["scenario"], rail)
            found.setdefault((name, record["layers"]), []).append(
                {"methods": {"fit": result}})
    return found.items()


def method_summary(records, method):
    return summarise([r["methods"][method] for r in records
                      if method in r.get("methods", {})])


# ---- Table ------------------------------------------------------------------------


def percent(value, digits=None):
    if math.isnan(value):
        return "-"
    if digits is None:
        digits = 2 if value < 0.0995 else 1
    return "{:.{}f} %".format(100 * value, digits)


def plain(value, digits):
    return "-" if math.isnan(value) else "{:.{}f}".format(value, digits)


HEAD = ["scenario", "layers", "runs", "window", "**median**", "95th pct.", "energy",
        "corr.", "coverage", "resolved", "its median", "its coverage", "closure",
        "limit", "s", "MB"]


def row_of(scenario, layers, records):
    fit = method_summary(records, "fit")
    window = method_summary(records, "window")
    limit = method_summary(records, "limit")
    runs = (str(len(records)) if fit["good"] == len(records)
            else "{} of {}".format(fit["good"], len(records)))
    return [scenario, str(layers), runs, percent(window["median"], 1),
            "**" + percent(fit["median"]) + "**", percent(fit["p95"], 1),
            percent(fit["energy"]), plain(fit["correlation"], 3),
            percent(fit["coverage"], 0), percent(fit["resolved"], 0),
            percent(fit["resolved_median"]), percent(fit["resolved_coverage"], 0),
            percent(fit["closure"]), percent(limit["median"]),
            plain(fit["seconds"], 1), plain(fit["mb"], 0)]


def table(records):
    """Markdown; a last column that nobody filled in is left out."""
    rows = [row_of(*key, group) for key, group in groups(records)]
    head = list(HEAD)
    if all(row[13] == "-" for row in rows):
        head.pop(13)
        for row in rows:
            row.pop(13)
    lines = ["| " + " | ".join(head) + " |",
             "|---" + "|--:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def write_markdown(path, text, name="accuracy"):
    """Replaces what stands between the markers, or adds them at the end."""
    begin, end = "<!-- {}: begin -->".format(name), "<!-- {}: end -->".format(name)
    path = pathlib.Path(path)
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    section = begin + "\n" + text + "\n" + end
    if begin in page and end in page:
        before, rest = page.split(begin, 1)
        page = before + section + rest.split(end, 1)[1]
    else:
        page += ("\n" if page else "") + section + "\n"
    path.write_text(page, encoding="utf-8")


# ---- Plot --------------------------------------------------------------------------

LEFT, RIGHT, TOP, LINE, WIDTH = 210, 30, 60, 22, 760
LOW, HIGH = 0.001, 1.0  # relative errors at the ends of the axis


def place(error):
    error = min(max(error, LOW), HIGH)
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log(error / LOW) / math.log(HIGH / LOW)


def text_at(x, y, text, anchor="start", extra=""):
    return ('<text x="{:.1f}" y="{:.1f}" text-anchor="{}"{}>{}</text>'
            .format(x, y, anchor, extra, text))


def dot(error, y, colour):
    if math.isnan(error):
        return ""
    return '<circle cx="{:.1f}" cy="{:.1f}" r="5" fill="{}"/>'.format(
        place(error), y, colour)


def axis(bottom):
    parts = []
    for tick in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0):
        x = place(tick)
        parts.append('<line x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}" '
                     'stroke="#ddd"/>'.format(x, TOP - 12, bottom))
        parts.append(text_at(x, TOP - 18, "{:g} %".format(100 * tick), "middle"))
    return parts


def plot_line(y, key, records):
    fit = method_summary(records, "fit")
    window = method_summary(records, "window")
    limit = method_summary(records, "limit")
    parts = [text_at(LEFT - 12, y + 4, "{}, {}".format(*key), "end")]
    if not math.isnan(fit["p95"]):
        parts.append('<line x1="{:.1f}" x2="{:.1f}" y1="{y}" y2="{y}" stroke="#1f6fb4" '
                     'stroke-width="2"/>'.format(place(fit["median"]),
                                                 place(fit["p95"]), y=y))
    if not math.isnan(limit["median"]):
        x = place(limit["median"])
        parts.append('<line x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}" '
                     'stroke="#2a9d4a" stroke-width="3"/>'.format(x, y - 7, y + 7))
    parts.append(dot(window["median"], y, "#b0b0b0"))
    parts.append(dot(fit["median"], y, "#1f6fb4"))
    return parts


def plot(records):
    """An SVG: medians by method, and up to where 95 % of the layers lie."""
    found = list(groups(records))
    bottom = TOP + LINE * len(found)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" '
             'viewBox="0 0 {0} {1}" font-family="sans-serif" font-size="12">'
             .format(WIDTH, bottom + 20),
             '<rect width="100%" height="100%" fill="white"/>',
             text_at(LEFT, 18, "Error of a layer's power (SIMULATED runs): "
                     '<tspan fill="#1f6fb4">fit, median to 95th percentile</tspan>, '
                     '<tspan fill="#888">window</tspan>, '
                     '<tspan fill="#2a9d4a">limit</tspan>')]
    parts += axis(bottom)
    for i, (key, group) in enumerate(found):
        parts += plot_line(TOP + LINE * i + LINE // 2, key, group)
    parts.append("</svg>")
    return "\n".join(part for part in parts if part) + "\n"
