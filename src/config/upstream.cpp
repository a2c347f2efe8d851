#include <pgweir/config/upstream.hpp>

#include <pgweir/config/connection_string.hpp>
#include <pgweir/config/field.hpp>
#include <pgweir/config/files.hpp>
#include <pgweir/config/host_list.hpp>
#include <pgweir/config/passfile.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

namespace pgweir::config {

namespace {

constexpr const char* supported_options =
    "supported are host, hostaddr, port, dbname, user, password, passfile, service, "
    "target_session_attrs, load_balance_hosts, connect_timeout, sslmode, sslrootcert, sslcert, "
    "sslkey, sslcrl, sslnegotiation, ssl_min_protocol_version, channel_binding";

constexpr std::array<std::string_view, 19> supported{
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "service",
    "target_session_attrs",
    "load_balance_hosts",
    "connect_timeout",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "sslcrl",
    "sslnegotiation",
    "ssl_min_protocol_version",
    "channel_binding"
};

// Options that ask for what happens anyway.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> harmless{{
    {"gssencmode", "disable"},
    {"gssencmode", "prefer"},
    {"sslcompression", "0"},
    {"sslsni", "1"},
}};

constexpr std::array<std::pair<std::string_view, net::SessionAttrs>, 6> session_attrs{{
    {"any", net::SessionAttrs::any},
    {"read-write", net::SessionAttrs::read_write},
    {"read-only", net::SessionAttrs::read_only},
    {"primary", net::SessionAttrs::primary},
    {"standby", net::SessionAttrs::standby},
    {"prefer-standby", net::SessionAttrs::prefer_standby},
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
    }

    void read_hosts()
    {
        HostLists lists{
            .host = option("host"), .hostaddr = option("hostaddr"), .port = option("port")
        };
        upstream_.hosts = read_host_lists(lists, notes_.problems);
        read_session_attrs();
        const std::string balance = option("load_balance_hosts");
        upstream_.balances_hosts = balance == "random";
        if (!balance.empty() && balance != "random" && balance != "disable") {
            problem("load_balance_hosts must be disable or random");
        }
        read_connect_timeout();
    }

    void read_session_attrs()
    {
        const std::string attrs = option("target_session_attrs");
        if (attrs.empty()) return;
        const auto found = std::ranges::find(
            session_attrs, attrs, &decltype(session_attrs)::value_type::first
        );
        if (found == session_attrs.end()) {
            return problem(
                "target_session_attrs must be any, read-write, read-only, primary, standby or "
                "prefer-standby"
            );
        }
        upstream_.target_session_attrs = found->second;
    }

    // As in libpq, zero and less is no limit.
    void read_connect_timeout()
    {
        const std::string text = option("connect_timeout");
        if (text.empty()) return;
        int seconds = 0;
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, seconds);
        if (error != std::errc{} || rest != end) {
            return problem("connect_timeout must be a number of seconds");
        }
        upstream_.connect_timeout = std::chrono::seconds{std::max(seconds, 0)};
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
        for (const net::HostPort& host : upstream_.hosts) {
            const auto password = find_password(
                file->text,
                {.host = host.host == default_host ? "localhost" : host.host,
                 .port = std::to_string(host.port),
                 .dbname = upstream_.dbname.empty() ? upstream_.user : upstream_.dbname,
                 .user = upstream_.user}
            );
            if (!password) continue;
            if (upstream_.password.empty()) upstream_.password = *password;
            if (upstream_.password == *password) continue;
            warning(path + " has different passwords for the hosts: the first of them is used");
            return;
        }
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
    std::string addresses;
    bool has_addresses = false;
    for (std::size_t i = 0; i < upstream.hosts.size(); ++i) {
        const net::HostPort& host = upstream.hosts[i];
        url += (i == 0 ? "" : ",") + format_host(host);
        addresses += (i == 0 ? "" : ",") + percent_encoded(host.address, true);
        has_addresses |= !host.address.empty();
    }
    url += "/" + percent_encoded(upstream.dbname);
    net::TlsMode mode = upstream.tls.mode;
    url += "?sslmode=" + show(&mode, {});
    if (has_addresses) url += "&hostaddr=" + addresses;
    if (upstream.target_session_attrs != net::SessionAttrs::any) {
        const auto found = std::ranges::find(
            session_attrs,
            upstream.target_session_attrs,
            &decltype(session_attrs)::value_type::second
        );
        url.append("&target_session_attrs=").append(found->first);
    }
    if (upstream.balances_hosts) url += "&load_balance_hosts=random";
    if (upstream.connect_timeout > Duration::zero()) {
        const auto whole = std::chrono::duration_cast<std::chrono::seconds>(upstream.connect_timeout
        );
        url += "&connect_timeout=" + std::to_string(whole.count());
    }
    return url;
}

} // namespace pgweir::config
