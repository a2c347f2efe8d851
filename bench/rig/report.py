"""Samples to Markdown."""

from statistics import median


def spread(values):
    """Largest minus smallest, as a part of the median."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0


def number(value):
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def with_spread(values):
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    return number(median(values)) + (f" ±{spread(values) / 2:.0%}" if len(values) > 1 else "")


def cpu_scale(unit):
    """CPU is told in seconds for a GB, else in microseconds."""
    return (1, "s") if unit == "GB" else (1e6, "µs")


def cost(sample, unit):
    """The figure by which targets are compared: CPU for a unit, or memory for a client. None: no proxy."""
    if sample.memory is not None:
        return sample.memory / 1024
    if sample.user is None:
        return None
    return (sample.user + sample.system) / sample.count * cpu_scale(unit)[0]


def cost_name(workload):
    return "KiB/client" if workload.unit == "client" else f"CPU {cpu_scale(workload.unit)[1]}/{workload.unit}"


def ratio(samples, others, unit):
    """Median over the rounds of ours by theirs: both ran within seconds of each other."""
    pairs = [(cost(a, unit), cost(b, unit)) for a, b in zip(samples, others)]
    ratios = [ours / theirs for ours, theirs in pairs if ours is not None and theirs]
    return f"{median(ratios):.2f}" if ratios else "–"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join(["---", *["---:"] * (len(header) - 1)]) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def summary(results, targets):
    """One row for each workload. `results` maps workload to target name to samples or a refusal."""
    proxies = [name for name in targets if name != "direct"]
    peers = [name for name in proxies if name != "pgweir"] if "pgweir" in proxies else []
    rows = []
    for workload, by_target in results.items():
        samples = {name: found for name, found in by_target.items() if isinstance(found, list)}
        cells = [with_spread([cost(s, workload.unit) for s in samples.get(name, [])]) +
                 mark(workload, name, by_target) for name in proxies]
        cells += [ratio(samples.get("pgweir", []), samples.get(peer, []), workload.unit) for peer in peers]
        rows.append([workload.title, cost_name(workload), *cells])
    return table(["workload", "cost", *proxies, *[f"pgweir / {peer}" for peer in peers]], rows)


def mark(workload, name, by_target):
    if not isinstance(by_target.get(name), list):
        return " (n/a)"
    return " (session)" if name in workload.in_session_mode else ""


def details(results):
    """Everything measured, one row for each workload and target."""
    rows = []
    for workload, by_target in results.items():
        factor, unit = cpu_scale(workload.unit)
        for name, samples in by_target.items():
            if not isinstance(samples, list):
                rows.append([workload.name, name, "n/a", *["–"] * 6])
                continue
            def cpu(part):
                return with_spread([None if part(s) is None else part(s) / s.count * factor for s in samples])
            rows.append([
                workload.name, name + mark(workload, name, by_target),
                with_spread([s.rate for s in samples]) + f" {workload.unit}/s",
                f"{cpu(lambda s: s.user)}", f"{cpu(lambda s: s.system)}",
                *[with_spread([s.latencies[i] for s in samples]) for i in range(3)],
                "–" if samples[0].memory is None else with_spread([s.memory / 1024 for s in samples])])
    return table(["workload", "target", "rate", "user CPU", "system CPU", "p50 ms", "p95 ms", "p99 ms",
                  "KiB/client"], rows)


def reasons(results):
    """Why there is no figure, a sentence for each reason."""
    found = {}
    for workload, by_target in results.items():
        for name, samples in by_target.items():
            if not isinstance(samples, list):
                found.setdefault(f"{name}: {' '.join(samples.split())}", []).append(workload.name)
    return [f"n/a, {', '.join(names)}: {reason}." for reason, names in found.items()]


def render(results, targets, *, heading, notes):
    return "\n\n".join([
        heading,
        "Cost: median over the rounds ± half the spread. Ratios are medians of the ratios within each round.",
        summary(results, targets),
        "CPU is that of the proxy process, for each unit of the rate: µs, or s for GB.",
        details(results),
        "\n".join(f"- {note}" for note in notes + reasons(results))]) + "\n"
