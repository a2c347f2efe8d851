#include <pgweir/net/http_server.hpp>

#include <pgweir/base/error.hpp>
#include <pgweir/base/log.hpp>
#include <pgweir/net/stream.hpp>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <netdb.h>
#include <utility>

namespace pgweir::net {

namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;

struct HttpServer::Connection {
    Connection(Socket socket, std::size_t buffer_size)
        : stream{std::move(socket)}, buffer{buffer_size}
    {
    }

    beast::basic_stream<Tcp, Executor> stream;
    beast::flat_buffer buffer; // bytes that came behind the last request, bounded
};

struct HttpServer::Request {
    bool is_there = false; // else the connection is over, without a word
    unsigned refusal = 0;  // status for what is not a request, or too much of one
    bool is_head = false;
    bool keeps_alive = false;
    unsigned version = 11;
    std::string path;
    std::string method;
};

namespace {

// What a client did wrong, in HTTP's numbers. Zero: it has left, or said nothing in time.
unsigned status_for(const ErrorCode& error)
{
    if (error == http::error::header_limit) return 431;
    if (error == http::error::body_limit || error == http::error::buffer_overflow) return 413;
    const bool is_parse_error = error.category() == http::make_error_code(http::error{}).category();
    const bool has_left = error == http::error::end_of_stream
                          || error == http::error::partial_message;
    return is_parse_error && !has_left ? 400 : 0;
}

std::string path_of(std::string_view target)
{
    return std::string{target.substr(0, target.find('?'))};
}

struct HostAndPort {
    std::string host; // empty: any
    std::string port;
};

// The last colon, because of "[::1]:80". Empty port: not an address.
HostAndPort split(std::string_view address)
{
    const std::size_t colon = address.rfind(':');
    if (colon == std::string_view::npos) return {};
    std::string_view host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host == "*") host = {};
    return {std::string{host}, std::string{address.substr(colon + 1)}};
}

bool is_port(const std::string& text)
{
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size();
}

std::string to_text(const Tcp::endpoint& endpoint)
{
    const std::string host = endpoint.address().to_string();
    const std::string shown = endpoint.address().is_v6() ? '[' + host + ']' : host;
    return shown + ':' + std::to_string(endpoint.port());
}

} // namespace

HttpServer::HttpServer(Tasks& tasks, HttpHandler handler, HttpLimits limits)
    : tasks_{tasks}, handler_{std::move(handler)}, limits_{limits}
{
}

HttpServer::~HttpServer() = default;

std::string HttpServer::open(std::string_view address)
{
    const HostAndPort wanted = split(address);
    if (!is_port(wanted.port)) {
        return "cannot listen on " + std::string{address} + ": must be host:port";
    }
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* results = nullptr;
    const char* const host = wanted.host.empty() ? nullptr : wanted.host.c_str();
    const int error = ::getaddrinfo(host, wanted.port.c_str(), &hints, &results);
    if (error != 0) {
        return "cannot listen on " + std::string{address} + ": " + ::gai_strerror(error);
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{results, &::freeaddrinfo};
    std::string problem = "cannot listen on " + std::string{address} + ": no address";
    for (const addrinfo* entry = results; entry != nullptr; entry = entry->ai_next) {
        Tcp::endpoint endpoint;
        if (entry->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
        endpoint.resize(entry->ai_addrlen);
        std::string failed = bind_to(endpoint);
        if (!failed.empty()) problem = std::move(failed);
    }
    if (acceptors_.empty()) return problem;
    for (Acceptor& acceptor : acceptors_) {
        log(LogLevel::info, "http_listening", {{"address", to_text(acceptor.local_endpoint())}});
        tasks_.spawn("http_accept", accept_from(&acceptor));
    }
    return {};
}

std::string HttpServer::bind_to(const Tcp::endpoint& endpoint)
{
    Acceptor acceptor{tasks_.executor()};
    ErrorCode error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
    const bool is_v6 = endpoint.address().is_v6();
    if (!error && is_v6) acceptor.set_option(asio::ip::v6_only{true}, error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        std::string text = "cannot listen on " + to_text(endpoint) + ": " + error.message();
        if (error == asio::error::address_in_use) text += " (is another pgweir running there?)";
        return text;
    }
    acceptors_.push_back(std::move(acceptor));
    return {};
}

std::vector<std::string> HttpServer::addresses() const
{
    std::vector<std::string> texts;
    for (const Acceptor& acceptor : acceptors_) {
        ErrorCode error;
        const Tcp::endpoint bound = acceptor.local_endpoint(error);
        if (!error) texts.push_back(to_text(bound));
    }
    return texts;
}

void HttpServer::close()
{
    is_closing_ = true;
    for (Acceptor& acceptor : acceptors_) {
        ErrorCode ignored; // it is closed in any case
        acceptor.close(ignored);
    }
    for (Connection* const connection : connections_) connection->stream.close();
}

Task<void> HttpServer::accept_from(Acceptor* acceptor)
{
    constexpr std::string_view full = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
                                      "Connection: close\r\n\r\n";

    while (!is_closing_) {
        auto [error, socket] = co_await acceptor->async_accept(use_task);
        if (is_closing_) co_return;
        if (error) {
            // Out of descriptors or memory: asking again at once would not help.
            log(LogLevel::error, "accept_failed", {{"reason", error.message()}});
            Timer pause{tasks_.executor()};
            pause.expires_after(std::chrono::milliseconds{100});
            co_await pause.async_wait(use_task);
            continue;
        }
        if (connection_count_ < limits_.connections_max) {
            ++connection_count_;
            tasks_.spawn("http", serve(std::move(socket)));
            continue;
        }
        log(LogLevel::warning, "http_refused", {{"connections", connection_count_}});
        ErrorCode ignored; // it is closed whether it has heard why or not
        socket.non_blocking(true, ignored);
        socket.write_some(asio::buffer(full), ignored);
    }
}

// The list is changed by statements and not by a destructor: when the context is stopped for good,
// frames die after the server.
Task<void> HttpServer::serve(Socket socket)
{
    Connection connection{std::move(socket), limits_.header_size_max + limits_.body_size_max};
    connections_.push_back(&connection);
    co_await converse(connection);
    connections_.remove(&connection);
    --connection_count_;
}

Task<void> HttpServer::converse(Connection& connection)
{
    for (;;) {
        const Request request = co_await read_request(connection);
        if (!request.is_there) co_return;
        HttpResponse response = co_await respond(request);
        const bool is_sent = co_await write_response(connection, request, std::move(response));
        if (!is_sent || is_closing_) co_return;
        if (!request.keeps_alive) break;
    }
    co_await linger(connection);
}

Task<HttpServer::Request> HttpServer::read_request(Connection& connection)
{
    http::request_parser<http::string_body> parser;
    parser.header_limit(limits_.header_size_max);
    parser.body_limit(limits_.body_size_max);
    connection.stream.expires_after(limits_.request_timeout);
    const auto [error, size] = co_await http::async_read(
        connection.stream, connection.buffer, parser, use_task
    );
    Request request;
    if (error) {
        request.refusal = status_for(error);
        request.is_there = request.refusal != 0;
        co_return request;
    }
    const auto& message = parser.get();
    request.is_there = true;
    request.is_head = message.method() == http::verb::head;
    request.keeps_alive = message.keep_alive();
    request.version = message.version();
    request.path = path_of({message.target().data(), message.target().size()});
    request.method = std::string{message.method_string()};
    co_return request;
}

Task<HttpResponse> HttpServer::respond(const Request& request)
{
    HttpResponse response;
    if (request.refusal != 0) {
        response.status = request.refusal;
        response.body = std::string{http::obsolete_reason(http::status{request.refusal})} + '\n';
        co_return response;
    }
    if (request.method != "GET" && !request.is_head) {
        response.status = 405;
        response.body = "only GET and HEAD are answered here\n";
        co_return response;
    }
    response = co_await handler_(request.path);
    co_return response;
}

// False: the connection is broken, or too slow.
Task<bool> HttpServer::write_response(
    Connection& connection, const Request& request, HttpResponse response
)
{
    http::response<http::string_body> message{http::status{response.status}, request.version};
    message.set(http::field::content_type, response.content_type);
    message.set(http::field::cache_control, "no-store");
    message.set("X-Content-Type-Options", "nosniff");
    if (response.status == 405) message.set(http::field::allow, "GET, HEAD");
    message.keep_alive(request.keeps_alive && !is_closing_);
    message.content_length(response.body.size());
    connection.stream.expires_after(limits_.request_timeout);
    if (request.is_head) {
        http::response_serializer<http::string_body> head{message};
        const auto [error, size] = co_await http::async_write_header(
            connection.stream, head, use_task
        );
        co_return !error;
    }
    message.body() = std::move(response.body);
    const auto [error, size] = co_await http::async_write(connection.stream, message, use_task);
    co_return !error;
}

// The answer must arrive: closing with bytes unread would reset the connection and lose it.
Task<void> HttpServer::linger(Connection& connection)
{
    std::array<char, 4'096> unread{};
    ErrorCode ignored; // the peer may have closed first
    connection.stream.socket().shutdown(Tcp::socket::shutdown_send, ignored);
    connection.stream.expires_after(linger_max);
    for (;;) {
        const auto buffer = asio::buffer(unread);
        const auto [error, size] = co_await connection.stream.async_read_some(buffer, use_task);
        if (error) co_return;
    }
}

} // namespace pgweir::net
