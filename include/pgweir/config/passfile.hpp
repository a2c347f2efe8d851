// libpq's two files beside a connection string: passwords (.pgpass) and services. Text in, values
// out; who reads which file is upstream's business.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir::config {

struct PassfileQuery {
    std::string host; // "localhost" for the default unix socket
    std::string port;
    std::string dbname;
    std::string user;
};

/// The password of the first line that matches.
[[nodiscard]] std::optional<std::string> find_password(
    std::string_view passfile, const PassfileQuery& query
);

/// The options of [service]. Nothing: there is no such section.
[[nodiscard]] std::optional<std::map<std::string, std::string>> find_service(
    std::string_view service_file, std::string_view service
);

} // namespace pgweir::config
