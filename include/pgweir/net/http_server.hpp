// A small HTTP/1.1 server for probes, scrapes and a look by hand. Answers GET and HEAD; takes no
// uploads, knows no TLS, and is bounded in everything.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/net/asio.hpp>
#include <pgweir/net/spawn.hpp>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::net {

struct HttpResponse {
    unsigned status = 200;
    std::string body;
    std::string content_type = "text/plain; charset=utf-8";
};

/// Answers a GET for a path, without its query. Must not be a capturing lambda that is a coroutine
/// itself: it returns the task of a function.
using HttpHandler = std::function<Task<HttpResponse>(std::string path)>;

struct HttpLimits {
    std::size_t connections_max = 64;
    std::uint32_t header_size_max = 8'192;
    std::uint64_t body_size_max = 4'096;                 // nothing here reads one
    Duration request_timeout = std::chrono::seconds{15}; // to say it, and to take the answer
};

/// Lives on the thread of its tasks' executor.
class HttpServer {
public:
    HttpServer(Tasks& tasks, HttpHandler handler, HttpLimits limits = {});
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Binds "host:port", "[::1]:port" or "*:port" and starts to answer. Port 0: any free one. A
    /// problem in words, or empty.
    [[nodiscard]] std::string open(std::string_view address);
    /// What is really bound, as "host:port".
    [[nodiscard]] std::vector<std::string> addresses() const;
    [[nodiscard]] std::size_t connection_count() const { return connection_count_; }
    /// Ends all tasks of this server soon.
    void close();

private:
    using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
    using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
    struct Connection;
    struct Request;

    [[nodiscard]] std::string bind_to(const asio::ip::tcp::endpoint& endpoint);
    Task<void> accept_from(Acceptor* acceptor);
    Task<void> serve(Socket socket);
    Task<void> converse(Connection& connection);
    Task<Request> read_request(Connection& connection);
    Task<HttpResponse> respond(const Request& request);
    Task<bool> write_response(
        Connection& connection, const Request& request, HttpResponse response
    );
    Task<void> linger(Connection& connection);

    Tasks& tasks_;
    HttpHandler handler_;
    HttpLimits limits_;
    std::list<Acceptor> acceptors_;
    std::list<Connection*> connections_; // each lives in the frame of its task
    std::size_t connection_count_ = 0;   // with those whose task is about to start
    bool is_closing_ = false;
};

} // namespace pgweir::net
