// One HTTP GET, as a probe or a scraper would send it.
#pragma once

#include "integration/support/wire_client.hpp"

#include <string>
#include <vector>

namespace pgweir::test {

struct HttpAnswer {
    int status = 0;
    std::string head;
    std::string body;
};

[[nodiscard]] HttpAnswer http_get(const Target& target, const std::string& path);

/// The value of a metric in Prometheus text: of the one sample, or the sum of all samples, whose
/// name and labels contain every one of `parts`. Throws when there is none.
[[nodiscard]] double metric(const std::string& text, const std::vector<std::string>& parts);

} // namespace pgweir::test
