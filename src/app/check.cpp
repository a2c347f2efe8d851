#include <pgweir/app/check.hpp>

#include <pgweir/auth/key_cache.hpp>
#include <pgweir/net/server_login.hpp>
#include <pgweir/net/spawn.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace pgweir::app {

namespace {

struct Trial {
    std::string name;
    net::Upstream upstream;
    Duration timeout;
    std::string result;
    bool is_good = false;
};

net::Task<void> try_upstream(
    Trial* trial, net::ContextCache* contexts, auth::KeyCache* keys, net::Names* names
)
{
    net::ConnectRequest request;
    request.upstream = trial->upstream;
    request.deadline = std::chrono::steady_clock::now() + trial->timeout;
    net::ConnectOutcome outcome = co_await net::connect_server(
        std::move(request), *contexts, *keys, *names
    );
    trial->is_good = outcome.server.has_value();
    trial->result = outcome.error.message;
    if (!outcome.error.hint.empty()) trial->result += " (" + outcome.error.hint + ')';
    if (!trial->is_good) co_return;
    for (const auto& [name, value] : outcome.parameters) {
        if (name == "server_version") trial->result = "PostgreSQL " + value;
    }
    trial->result += outcome.server->stream.is_tls() ? ", TLS" : ", no TLS";
    Buffer good_bye;
    wire::append_empty(good_bye, wire::client_type::terminate);
    static_cast<void>(outcome.server->stream.write(good_bye));
}

std::vector<Trial> make_trials(const config::Settings& settings)
{
    std::vector<Trial> trials;
    const auto add = [&](const std::string& name, const net::Upstream& upstream) {
        if (upstream.user.empty()) return; // which user there will be is the clients' affair
        const auto options = settings.pool_options(name, upstream.user);
        Trial& trial = trials.emplace_back();
        trial.name = name;
        trial.upstream = upstream;
        trial.timeout = options.server_connect_timeout;
    };
    if (settings.upstream) add(settings.upstream->dbname, *settings.upstream);
    for (const auto& [name, database] : settings.databases) {
        const auto upstream = settings.find_upstream(name);
        if (upstream) add(name, *upstream);
    }
    return trials;
}

bool try_all(std::vector<Trial>& trials)
{
    net::asio::io_context io{1};
    net::Tasks tasks{io.get_executor()};
    net::ContextCache contexts;
    auth::KeyCache keys;
    net::Names names{io.get_executor(), net::system_names()};
    for (Trial& trial : trials) {
        tasks.spawn("check", try_upstream(&trial, &contexts, &keys, &names));
    }
    io.run();
    bool are_good = true;
    for (const Trial& trial : trials) {
        std::printf(
            "%s %s as %s: %s\n",
            trial.is_good ? "ok  " : "FAIL",
            trial.name.c_str(),
            trial.upstream.user.c_str(),
            trial.result.c_str()
        );
        are_good &= trial.is_good;
    }
    return are_good;
}

} // namespace

int check(const config::LoadRequest& request)
{
    const config::LoadResult result = config::load(request);
    for (const auto& warning : result.warnings) {
        std::fprintf(stderr, "warning: %s\n", warning.to_string().c_str());
    }
    for (const auto& problem : result.problems) {
        std::fprintf(stderr, "%s\n", problem.to_string().c_str());
    }
    if (!result.settings) return 1;
    std::printf("ok   configuration\n");
    if (!result.settings->client_tls.cert_file.empty()) {
        const auto made = net::make_listening_context(result.settings->client_tls);
        std::printf(
            "%s client_tls%s%s\n",
            made.context ? "ok  " : "FAIL",
            made.context ? "" : ": ",
            made.problem.c_str()
        );
        if (!made.context) return 1;
    }
    std::vector<Trial> trials = make_trials(*result.settings);
    return try_all(trials) ? 0 : 1;
}

int status(const config::LoadRequest& request)
{
    namespace beast = boost::beast;
    namespace http = beast::http;
    using Tcp = boost::asio::ip::tcp;

    config::LoadResult result = config::load(request);
    if (!result.settings) { // who asks for the state need not know where PostgreSQL is
        config::LoadRequest without_upstream = request;
        without_upstream.overrides.emplace_back("upstream", "postgresql://localhost/");
        result = config::load(without_upstream);
    }
    const std::string address = result.settings ? result.settings->http : std::string{};
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) {
        std::fprintf(stderr, "pgweir status: the configuration names no http address\n");
        return 1;
    }
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host == "*" || host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";

    net::asio::io_context io{1};
    beast::tcp_stream stream{io};
    stream.expires_after(std::chrono::seconds{5});
    Tcp::resolver resolver{io};
    beast::error_code error;
    http::response<http::string_body> response;
    const auto endpoints = resolver.resolve(host, address.substr(colon + 1), error);
    if (!error) stream.connect(endpoints, error);
    if (!error) {
        http::request<http::empty_body> question{http::verb::get, "/readyz", 11};
        question.set(http::field::host, host);
        http::write(stream, question, error);
    }
    beast::flat_buffer buffer;
    if (!error) http::read(stream, buffer, response, error);
    if (error) {
        std::fprintf(
            stderr,
            "pgweir status: %s does not answer: %s\n",
            address.c_str(),
            error.message().c_str()
        );
        return 1;
    }
    std::printf("%s", response.body().c_str());
    return response.result() == http::status::ok ? 0 : 1;
}

} // namespace pgweir::app
