#include <pgweir/metrics/catalog.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace pgweir;
using metrics::counter_rows;
using metrics::CounterRow;
using metrics::histogram_rows;

TEST_CASE("metrics/catalog: each counter has one row, that publishes it and no other")
{
    pool::Counters counters;
    std::set<const Counter*> seen;
    for (const CounterRow& row : counter_rows) {
        CAPTURE(row.name);
        CHECK(seen.insert(&(counters.*row.value)).second);
    }
    std::set<const Histogram*> seen_histograms;
    for (const auto& row : histogram_rows) {
        CAPTURE(row.name);
        CHECK(seen_histograms.insert(&(counters.*row.value)).second);
    }
}

TEST_CASE("metrics/catalog: names are in the house's form, help is a sentence")
{
    for (const CounterRow& row : counter_rows) {
        CAPTURE(row.name);
        CHECK(row.name.starts_with("pgweir_"));
        CHECK(row.name.ends_with("_total"));
        CHECK(row.help.ends_with('.'));
        CHECK(row.label.empty() == row.label_value.empty());
    }
    for (const auto& row : histogram_rows) {
        CAPTURE(row.name);
        CHECK(row.name.starts_with("pgweir_"));
        CHECK(row.name.ends_with("_seconds"));
        CHECK(row.help.ends_with('.'));
    }
}

TEST_CASE("metrics/catalog: rows of one name stand together, and differ in a label")
{
    std::set<std::string> finished;
    std::set<std::string> samples;
    std::string_view last;
    for (const CounterRow& row : counter_rows) {
        CAPTURE(row.name);
        if (row.name != last) CHECK(finished.insert(std::string{row.name}).second);
        last = row.name;
        CHECK(samples.insert(std::string{row.name} + ' ' + std::string{row.label_value}).second);
    }
}
