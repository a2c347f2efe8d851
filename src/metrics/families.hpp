// Collects samples under their metrics, in the order in which they are to be published.
#pragma once

#include <pgweir/metrics/snapshot.hpp>
#include <pgweir/metrics/totals.hpp>

#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgweir::metrics {

using Labels = std::vector<prometheus::ClientMetric::Label>;

class Families {
public:
    /// The samples that follow are of this metric. The same name again: it goes on.
    void begin(std::string_view name, std::string_view help, prometheus::MetricType type);
    void gauge(std::string_view name, std::string_view help);
    void counter(std::string_view name, std::string_view help);

    void add(double value, Labels labels = {});
    void add(const HistogramTotal& total, Labels labels);

    [[nodiscard]] const std::vector<prometheus::MetricFamily>& all() const { return families_; }

private:
    std::vector<prometheus::MetricFamily> families_;
};

/// Unsigned counts are exact up to 2^53, which is far.
template <class Number>
[[nodiscard]] double number(Number value)
{
    return static_cast<double>(value);
}

[[nodiscard]] Labels labels_of(const net::Pool& pool);
[[nodiscard]] const char* name_of(pool::Mode mode);

/// The names of PgBouncer's exporter, as far as we have the values.
void add_pgbouncer_names(Families& families, const Snapshot& snapshot);

} // namespace pgweir::metrics
