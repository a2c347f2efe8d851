#include <pgweir/net/http_server.hpp>

#include <pgweir/base/error.hpp>

#include "support/run_task.hpp"

#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace pgweir;
using namespace pgweir::test;
using net::HttpLimits;
using net::HttpResponse;
using net::HttpServer;
using net::Task;
using Tcp = net::asio::ip::tcp;
using Socket = net::asio::basic_stream_socket<Tcp, net::Executor>;

namespace {

Task<HttpResponse> echo_path(std::string path)
{
    HttpResponse response;
    response.body = "you asked for " + path + '\n';
    if (path == "/nothing") response.status = 404;
    co_return response;
}

std::uint16_t port_of(const std::string& address)
{
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

Task<std::string> read_to_end(Socket& socket)
{
    std::string all;
    std::array<char, 1'024> part{};
    for (;;) {
        const auto buffer = net::asio::buffer(part);
        const auto [error, size] = co_await socket.async_read_some(buffer, net::use_task);
        all.append(part.data(), size);
        if (error) co_return all;
    }
}

Task<std::string> ask(Socket& socket, std::string text)
{
    const auto buffer = net::asio::buffer(text);
    // A server that has refused it may not take all of it.
    co_await net::asio::async_write(socket, buffer, net::use_task);
    std::string answer = co_await read_to_end(socket);
    co_return answer;
}

/// A server on a free port, and clients in the same io_context.
class Rig {
public:
    explicit Rig(HttpLimits limits = {}) : server{tasks_, echo_path, limits}
    {
        REQUIRE(server.open("127.0.0.1:0") == "");
    }
    ~Rig()
    {
        server.close();
        io.restart();
        while (tasks_.count() > 0 && io.run_one() > 0) {
        }
    }
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;

    [[nodiscard]] Socket connect()
    {
        Socket socket{io.get_executor()};
        const Tcp::endpoint endpoint{
            net::asio::ip::address_v4::loopback(), port_of(server.addresses().at(0))
        };
        socket.connect(endpoint);
        return socket;
    }
    [[nodiscard]] std::string exchange(const std::string& text)
    {
        Socket socket = connect();
        return run_task(io, ask(socket, text));
    }

    net::asio::io_context io;

private:
    net::Tasks tasks_{io.get_executor()};

public:
    HttpServer server;
};

std::string status_line(const std::string& answer) { return answer.substr(0, answer.find('\r')); }

std::string body(const std::string& answer)
{
    const std::size_t end = answer.find("\r\n\r\n");
    return end == std::string::npos ? std::string{"no body"} : answer.substr(end + 4);
}

} // namespace

TEST_CASE("net/http_server: a GET is answered, and its query is not part of the path")
{
    Rig rig;
    const std::string answer = rig.exchange(
        "GET /a/path?x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    );
    CHECK(status_line(answer) == "HTTP/1.1 200 OK");
    CHECK(body(answer) == "you asked for /a/path\n");
    CHECK(answer.find("Content-Type: text/plain; charset=utf-8\r\n") != std::string::npos);
}

TEST_CASE("net/http_server: the handler's status is passed on")
{
    Rig rig;
    const std::string answer = rig.exchange("GET /nothing HTTP/1.0\r\n\r\n");
    CHECK(status_line(answer) == "HTTP/1.0 404 Not Found");
}

TEST_CASE("net/http_server: HEAD has the length of GET, and no body")
{
    Rig rig;
    const std::string answer = rig.exchange(
        "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    );
    CHECK(status_line(answer) == "HTTP/1.1 200 OK");
    CHECK(answer.find("Content-Length: 16\r\n") != std::string::npos);
    CHECK(body(answer).empty());
}

TEST_CASE("net/http_server: a connection is kept for the next request")
{
    Rig rig;
    const std::string answer = rig.exchange(
        "GET /one HTTP/1.1\r\nHost: localhost\r\n\r\n"
        "GET /two HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    );
    CHECK(answer.find("you asked for /one\n") != std::string::npos);
    CHECK(answer.ends_with("you asked for /two\n"));
}

TEST_CASE("net/http_server: other methods are refused by name")
{
    Rig rig;
    const std::string answer = rig.exchange(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    );
    CHECK(status_line(answer) == "HTTP/1.1 405 Method Not Allowed");
    CHECK(answer.find("Allow: GET, HEAD\r\n") != std::string::npos);
}

TEST_CASE("net/http_server: what is not HTTP is told so")
{
    Rig rig;
    CHECK(status_line(rig.exchange("GET\r\n\r\n")) == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("net/http_server: a header without end is cut off")
{
    Rig rig;
    const std::string answer = rig.exchange(
        "GET / HTTP/1.1\r\nX-Long: " + std::string(100'000, 'a')
    );
    CHECK(status_line(answer) == "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_CASE("net/http_server: nobody may send a large body")
{
    Rig rig;
    const std::string answer = rig.exchange(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    );
    CHECK(status_line(answer) == "HTTP/1.1 413 Payload Too Large");
}

TEST_CASE("net/http_server: who says nothing is closed")
{
    Rig rig{{.request_timeout = std::chrono::milliseconds{1}}};
    CHECK(rig.exchange("") == "");
    CHECK(rig.exchange("GET / HT") == "");
}

TEST_CASE("net/http_server: one connection too many is refused, the others live on")
{
    Rig rig{{.connections_max = 1}};
    Socket first = rig.connect();
    const std::string refused = rig.exchange("");
    CHECK(status_line(refused) == "HTTP/1.1 503 Service Unavailable");
    CHECK(rig.server.connection_count() == 1);
    const std::string answer = run_task(rig.io, ask(first, "GET / HTTP/1.0\r\n\r\n"));
    CHECK(status_line(answer) == "HTTP/1.0 200 OK");
}

TEST_CASE("net/http_server: a port that is taken is a problem in words")
{
    Rig rig;
    net::Tasks tasks{rig.io.get_executor()};
    HttpServer second{tasks, echo_path};
    const std::string address = rig.server.addresses().at(0);
    const std::string problem = second.open(address);
    CHECK(problem.find("cannot listen on " + address) == 0);
    CHECK(problem.find("is another pgweir running there?") != std::string::npos);
}

TEST_CASE("net/http_server: an address without a port is a problem in words")
{
    net::asio::io_context io;
    net::Tasks tasks{io.get_executor()};
    HttpServer server{tasks, echo_path};
    CHECK(server.open("localhost") == "cannot listen on localhost: must be host:port");
    CHECK(server.open("localhost:http") == "cannot listen on localhost:http: must be host:port");
    CHECK(server.open("127.0.0.1:70000") == "cannot listen on 127.0.0.1:70000: must be host:port");
}

TEST_CASE("net/http_server: closing ends every task")
{
    net::asio::io_context io;
    net::Tasks tasks{io.get_executor()};
    HttpServer server{tasks, echo_path};
    REQUIRE(server.open("127.0.0.1:0") == "");
    Socket socket{io.get_executor()};
    const std::uint16_t port = port_of(server.addresses().at(0));
    socket.connect({net::asio::ip::address_v4::loopback(), port});
    while (server.connection_count() == 0) io.run_one();
    server.close();
    io.run();
    CHECK(tasks.count() == 0);
}
