#include "integration/support/http.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace pgweir::test {

HttpAnswer http_get(const Target& target, const std::string& path)
{
    Stream stream{target.host, target.port};
    stream.write("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const std::string all = stream.read_to_end();

    const std::size_t end = all.find("\r\n\r\n");
    if (!all.starts_with("HTTP/1.1 ") || end == std::string::npos) {
        throw std::runtime_error{"not an HTTP answer: " + all};
    }
    constexpr std::size_t status_at = 9;
    return {std::stoi(all.substr(status_at, 3)), all.substr(0, end), all.substr(end + 4)};
}

double metric(const std::string& text, const std::vector<std::string>& parts)
{
    double sum = 0;
    bool found = false;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        const std::size_t value_at = line.rfind(' ');
        if (line.starts_with('#') || value_at == std::string::npos) continue;
        const std::string name = line.substr(0, value_at);
        const bool is_meant = std::ranges::all_of(parts, [&](const std::string& part) {
            return name.find(part) != std::string::npos;
        });
        if (!is_meant) continue;
        found = true;
        sum += std::stod(line.substr(value_at + 1));
    }
    if (!found) throw std::runtime_error{"no metric " + parts.front() + " in:\n" + text};
    return sum;
}

} // namespace pgweir::test
