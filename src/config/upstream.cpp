#include <pgweir/config/upstream.hpp>

#include <pgweir/config/connection_string.hpp>
#include <pgweir/config/field.hpp>
#include <pgweir/config/files.hpp>
#include <pgweir/config/passfile.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

namespace pgweir::config {

namespace {

constexpr const char* default_host = "/var/run/postgresql"; // Debian's libpq looks there

constexpr const char* supported_options =
    "supported are host, hostaddr, port, dbname, user, password, passfile, service, sslmode, "
    "sslrootcert, sslcert, sslkey, sslcrl, sslnegotiation, ssl_min_protocol_version, "
    "channel_binding, connect_timeout";

constexpr std::array<std::string_view, 17> supported{
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "service",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslcrl",
    "sslnegotiation",
    "ssl_min_protocol_version",
    "channel_binding",
    "connect_timeout"
};

// Options that ask for what happens anyway.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> harmless{{
    {"target_session_attrs", "any"},
    {"load_balance_hosts", "disable"},
    {"gssencmode", "disable"},
    {"gssencmode", "prefer"},
    {"sslcompression", "0"},
    {"sslsni", "1"},
}};

class Parser {
public:
    Parser(const UpstreamContext& context, Notes& notes) : context_{context}, notes_{notes} {}

    std::optional<net::Upstream> parse(const std::string& text)
    {
        const std::size_t problems_before = notes_.problems.size();
        ConnectionString string = parse_connection_string(text);
        if (!string.problem.empty()) {
            problem(std::move(string.problem));
            return std::nullopt;
        }
        options_ = std::move(string.options);
        expand_service();
        refuse_unsupported();
        read_hosts();
        read_login();
        read_tls();
        if (notes_.problems.size() > problems_before) return std::nullopt;
        return std::move(upstream_);
    }

private:
    void problem(std::string text) { notes_.problems.push_back(std::move(text)); }
    void warning(std::string text) { notes_.warnings.push_back(std::move(text)); }

    std::string option(const std::string& key) const
    {
        const auto found = options_.find(key);
        return found == options_.end() ? "" : found->second;
    }

    std::string variable(const std::string& name) const
    {
        const auto found = context_.environment.find(name);
        return found == context_.environment.end() ? "" : found->second;
    }

    std::string home_file(const char* name) const
    {
        const std::string home = variable("HOME");
        return home.empty() ? "" : home + "/" + name;
    }

    // As libpq does it: the user's file, then the machine's; the string itself says more.
    void expand_service()
    {
        const std::string service = option("service");
        if (service.empty()) return;
        const std::string own = variable("PGSERVICEFILE");
        const std::string shared = variable("PGSYSCONFDIR");
        const std::array files{
            own.empty() ? home_file(".pg_service.conf") : own,
            (shared.empty() ? "/etc/postgresql-common" : shared) + "/pg_service.conf",
        };
        for (const std::string& path : files) {
            const auto file = read_file(path);
            if (!file) continue;
            const auto found = find_service(file->text, service);
            if (!found) continue;
            options_.insert(found->begin(), found->end());
            return;
        }
        problem("service \"" + service + "\" is not in " + files[0] + " or " + files[1]);
    }

    void refuse_unsupported()
    {
        for (const auto& [key, value] : options_) {
            const bool is_supported = std::ranges::find(supported, key) != supported.end();
            const bool is_harmless = std::ranges::find(
                                         harmless,
                                         std::pair<std::string_view, std::string_view>{key, value}
                                     )
                                     != harmless.end();
            if (value.empty() || is_supported || is_harmless) continue;
            problem("option " + key + " is not supported; " + supported_options);
        }
        if (!option("connect_timeout").empty()) {
            warning("connect_timeout has no effect: server_connect_timeout of the pool decides");
        }
    }

    void read_hosts()
    {
        const std::string given = option("host");
        const std::string address = option("hostaddr");
        if (!given.empty() && !address.empty()) {
            problem("has both host and hostaddr: give one of them");
        }
        auto hosts = split(given.empty() ? address : given);
        const auto ports = split(option("port"));
        if (ports.size() > 1 && ports.size() != hosts.size()) {
            problem(
                "has " + std::to_string(hosts.size()) + " hosts, but "
                + std::to_string(ports.size()) + " ports"
            );
            return;
        }
        for (std::size_t i = 0; i < hosts.size(); ++i) {
            if (hosts[i].starts_with('@')) problem("abstract unix sockets are not supported");
            upstream_.hosts.push_back(
                {.host = hosts[i].empty() ? default_host : std::move(hosts[i]),
                 .port = read_port(ports.size() > 1 ? ports[i] : ports[0])}
            );
        }
    }

    // "a,,b" has three parts, and "" has one: places that libpq fills with defaults.
    static std::vector<std::string> split(const std::string& list)
    {
        std::vector<std::string> parts(1);
        for (const char c : list) {
            if (c == ',') {
                parts.emplace_back();
            } else {
                parts.back() += c;
            }
        }
        return parts;
    }

    std::uint16_t read_port(const std::string& text)
    {
        if (text.empty()) return net::HostPort{}.port;
        std::uint16_t port = 0;
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, port);
        if (error != std::errc{} || rest != end || port == 0) {
            problem("port must be between 1 and 65535");
        }
        return port;
    }

    void read_login()
    {
        upstream_.dbname = option("dbname");
        upstream_.user = option("user");
        upstream_.password = option("password");
        if (upstream_.password.empty()) read_passfile();
        upstream_.has_password = !upstream_.password.empty();
    }

    void read_passfile()
    {
        const std::string given = option("passfile");
        const std::string environment = variable("PGPASSFILE");
        const std::string fallback = environment.empty() ? home_file(".pgpass") : environment;
        const std::string path = given.empty() ? fallback : resolve_path(given, context_.directory);
        if (path.empty() || upstream_.user.empty() || upstream_.hosts.empty()) return;

        const auto file = read_file(path);
        if (!file && !given.empty()) problem("passfile " + path + ": " + file.error().message());
        if (!file) return;
        if (file->is_open_to_others) {
            warning(path + " is ignored: others may read it; chmod 0600 it");
            return;
        }
        const auto& [host, port] = upstream_.hosts.front();
        const auto password = find_password(
            file->text,
            {.host = host == default_host ? "localhost" : host,
             .port = std::to_string(port),
             .dbname = upstream_.dbname.empty() ? upstream_.user : upstream_.dbname,
             .user = upstream_.user}
        );
        if (password) upstream_.password = *password;
    }

    void read_tls()
    {
        net::TlsOptions& tls = upstream_.tls;
        tls = context_.tls;
        set("sslmode", &tls.mode, {Kind::word, 0, 0});
        set("sslrootcert", &tls.ca_file, {Kind::path, 0, 0});
        set("sslcert", &tls.cert_file, {Kind::path, 0, 0});
        set("sslkey", &tls.key_file, {Kind::path, 0, 0});
        set("sslcrl", &tls.crl_file, {Kind::path, 0, 0});
        set("ssl_min_protocol_version", &tls.protocol_min, {Kind::tls_version, 0, 0});

        constexpr std::array bindings{"disable", "prefer", "require"};
        if (const std::string binding = option("channel_binding"); !binding.empty()) {
            upstream_.channel_binding = binding;
            if (std::ranges::find(bindings, binding) == bindings.end()) {
                problem("channel_binding must be disable, prefer or require");
            }
        }
        read_negotiation();
    }

    void read_negotiation()
    {
        const std::string negotiation = option("sslnegotiation");
        upstream_.tls_direct = negotiation == "direct";
        if (!upstream_.tls_direct && !negotiation.empty() && negotiation != "postgres") {
            problem("sslnegotiation must be postgres or direct");
        }
        if (upstream_.tls_direct && upstream_.tls.mode < net::TlsMode::require) {
            problem("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full");
        }
    }

    void set(const char* key, Field field, const Rule& rule)
    {
        const std::string value = option(key);
        if (value.empty()) return;
        const Place place{.source = {}, .line = 0, .key = {}, .directory = context_.directory};
        const std::string wrong = assign(field, rule, {{}, Untyped{value}, place});
        if (!wrong.empty()) problem(std::string{key} + " " + wrong);
    }

    const UpstreamContext& context_;
    Notes& notes_;
    ConnectionOptions options_;
    net::Upstream upstream_;
};

// What must not stand for itself in a URL (RFC 3986, section 2).
std::string percent_encoded(std::string_view text, bool with_colons = false)
{
    constexpr std::string_view unreserved =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (unreserved.find(c) != unreserved.npos || (with_colons && c == ':')) {
            out += c;
        } else {
            out.append(1, '%').append(1, digits[code >> 4U]).append(1, digits[code & 15U]);
        }
    }
    return out;
}

std::string format_host(const net::HostPort& host)
{
    const bool is_ipv6 = host.host.find(':') != host.host.npos && !host.host.starts_with('/');
    const std::string name = percent_encoded(host.host, is_ipv6);
    return (is_ipv6 ? "[" + name + "]" : name) + ":" + std::to_string(host.port);
}

} // namespace

std::optional<net::Upstream> parse_upstream(
    const std::string& text, const UpstreamContext& context, Notes& notes
)
{
    return Parser{context, notes}.parse(text);
}

std::string format_upstream(const net::Upstream& upstream)
{
    std::string url = "postgresql://";
    if (!upstream.user.empty()) url += percent_encoded(upstream.user);
    if (upstream.has_password) url += ":********";
    if (!upstream.user.empty() || upstream.has_password) url += "@";
    for (std::size_t i = 0; i < upstream.hosts.size(); ++i) {
        url += (i == 0 ? "" : ",") + format_host(upstream.hosts[i]);
    }
    url += "/" + percent_encoded(upstream.dbname);
    net::TlsMode mode = upstream.tls.mode;
    url += "?sslmode=" + show(&mode, {});
    return url;
}

} // namespace pgweir::config
