#include <pgweir/metrics/status_page.hpp>

#include <pgweir/metrics/totals.hpp>

#include <algorithm>
#include <string_view>

namespace pgweir::metrics {

namespace {

constexpr std::string_view head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>pgweir</title>
<meta name="viewport" content="width=device-width">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
table { border-collapse: collapse; }
th, td { padding: .2em .8em; text-align: right; border-bottom: 1px solid #ddd; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
.bad { color: #b00020; font-weight: bold; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #181818; } th, td { border-color: #444; } a { color: #8ab4f8; }
}
</style></head><body>
)";

// Names of databases and users are what somebody typed into a client.
std::string escaped(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        default: out += c;
        }
    }
    return out;
}

std::string cell(std::string_view text) { return "<td>" + escaped(text) + "</td>"; }

std::string cell(std::uint64_t value) { return cell(std::to_string(value)); }

std::string_view word_of(Readiness readiness)
{
    switch (readiness) {
    case Readiness::starting: return "starting";
    case Readiness::ready: return "ready";
    case Readiness::draining: return "draining";
    }
    return "unknown";
}

std::string milliseconds(Duration duration)
{
    const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    return std::to_string(std::max<std::int64_t>(count, 0)) + " ms";
}

std::string pool_row(const net::PoolRow& row, TimePoint now)
{
    using net::ClientUse;
    using net::ServerUse;
    const auto& [pool, counts] = row;
    const pool::Shared& shared = pool->shared();
    const Totals totals = totals_of(*pool);
    const Duration oldest = now - shared.oldest_since().value_or(now);
    std::string html = "<tr>" + cell(pool->name().database) + cell(pool->name().user);
    html += cell(counts.client_count())
            + cell(counts.of(ClientUse::active) + counts.of(ClientUse::pinned));
    html += cell(counts.of(ClientUse::waiting)) + cell(milliseconds(oldest));
    html += cell(std::to_string(shared.total()) + " of " + std::to_string(shared.size()));
    html += cell(counts.of(ServerUse::lent)) + cell(counts.of(ServerUse::idle));
    html += cell(totals.transactions) + cell(totals.queries);
    html += cell(shared.is_paused() ? "paused" : "");
    return html + "</tr>\n";
}

} // namespace

std::string status_page(const Snapshot& snapshot)
{
    const net::Inspection& inspection = snapshot.inspection;
    std::string html{head};
    html += "<h1>pgweir " + escaped(snapshot.daemon.version) + "</h1>\n<p>State: ";
    html += word_of(snapshot.daemon.readiness);
    html += ". Worker threads: " + std::to_string(inspection.worker_count);
    html += ". Logins in progress: " + std::to_string(snapshot.daemon.logins) + ".</p>\n";
    for (const WorkerId worker : inspection.silent) {
        html += "<p class=\"bad\">Worker " + std::to_string(index_of(worker))
                + " does not answer: what it knows is missing here.</p>\n";
    }
    html += "<table><tr><th>database</th><th>user</th><th>clients</th><th>active</th>"
            "<th>waiting</th><th>oldest</th><th>servers</th><th>active</th><th>idle</th>"
            "<th>transactions</th><th>queries</th><th></th></tr>\n";
    for (const net::PoolRow& row : inspection.pools) html += pool_row(row, inspection.now);
    html += "</table>\n";
    if (inspection.pools.empty()) html += "<p>No client has logged in yet.</p>\n";
    html += "<p><a href=\"/metrics\">/metrics</a> <a href=\"/healthz\">/healthz</a> "
            "<a href=\"/readyz\">/readyz</a></p>\n</body></html>\n";
    return html;
}

} // namespace pgweir::metrics
