#include "families.hpp"

#include <limits>

namespace pgweir::metrics {

void Families::begin(std::string_view name, std::string_view help, prometheus::MetricType type)
{
    if (!families_.empty() && families_.back().name == name) return;
    families_.push_back({std::string{name}, std::string{help}, type, {}});
}

void Families::gauge(std::string_view name, std::string_view help)
{
    begin(name, help, prometheus::MetricType::Gauge);
}

void Families::counter(std::string_view name, std::string_view help)
{
    begin(name, help, prometheus::MetricType::Counter);
}

void Families::add(double value, Labels labels)
{
    prometheus::MetricFamily& family = families_.back();
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = value; // only the member of the family's type is written out
    metric.counter.value = value;
    family.metric.push_back(std::move(metric));
}

void Families::add(const HistogramTotal& total, Labels labels)
{
    constexpr double microseconds = 1e6;

    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < Histogram::bucket_count; ++i) {
        count += total.buckets[i];
        const bool is_last = i == Histogram::bounds_us.size();
        const double bound = is_last ? std::numeric_limits<double>::infinity()
                                     : Histogram::bounds_us[i] / microseconds;
        metric.histogram.bucket.push_back({count, bound});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = number(total.sum_us) / microseconds;
    families_.back().metric.push_back(std::move(metric));
}

Labels labels_of(const net::Pool& pool)
{
    return {{"database", pool.name().database}, {"user", pool.name().user}};
}

const char* name_of(pool::Mode mode)
{
    switch (mode) {
    case pool::Mode::transaction: return "transaction";
    case pool::Mode::session: return "session";
    case pool::Mode::statement: return "statement";
    }
    return "unknown";
}

} // namespace pgweir::metrics
