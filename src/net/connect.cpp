#include <pgweir/net/connect.hpp>

#include <pgweir/wire/startup.hpp>

#include <boost/asio/this_coro.hpp>

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <system_error>
#include <utility>

namespace pgweir::net {

using wire::ErrorText;

namespace {

ErrorText unreachable(const Address& address, const std::string& why)
{
    return {
        "FATAL",
        "08006",
        "could not connect to server at " + address.to_string() + ": " + why,
        {},
        {}
    };
}

std::string describe(const Channel& channel, const ErrorCode& error)
{
    return channel.is_timed_out() ? "timed out (server_connect_timeout)" : error.message();
}

// Connects without TLS.
Task<Connected> connect_plain(Executor executor, Address address, const ConnectRequest* request)
{
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    Descriptor socket{::socket(address.family(), type, 0)};
    if (!socket) {
        // Our shortage (descriptors, memory), not the server's failure: said so.
        ErrorText error{"FATAL", "53000", "no socket for a server connection: ", {}, {}};
        error.message += std::generic_category().message(errno);
        co_return Connected{nullptr, std::move(error)};
    }
    if (!address.is_unix()) prepare_socket(socket.get(), request->socket);
    const int result = ::connect(socket.get(), address.get(), address.size);
    const int reason = errno;
    if (result < 0 && reason != EINPROGRESS) {
        co_return Connected{nullptr, unreachable(address, std::generic_category().message(reason))};
    }
    auto channel = std::make_unique<Channel>(executor, std::move(socket));
    channel->set_deadline(request->deadline);
    if (result < 0) {
        if (const ErrorCode error = co_await channel->finish_connect()) {
            co_return Connected{nullptr, unreachable(address, describe(*channel, error))};
        }
    }
    co_return Connected{std::move(channel), {}};
}

// Asks for TLS: 'S' is yes, 'N' no.
Task<Result<char>> ask_for_tls(Channel* channel)
{
    Buffer packet;
    wire::append_tls_request(packet);
    if (const ErrorCode error = co_await channel->write(std::move(packet))) co_return error;
    const auto answer = co_await channel->read_single_byte();
    if (!answer) co_return answer.error();
    // Whoever adds bytes to the answer wants them read as if they had come under TLS.
    const bool is_clean = channel->unread().empty();
    if (!is_clean || (*answer != 'S' && *answer != 'N')) {
        co_return ErrorCode{boost::system::errc::protocol_error, boost::system::generic_category()};
    }
    co_return *answer;
}

Task<Connected> connect_tls(
    Executor executor,
    Address address,
    std::string host,
    const ConnectRequest* request,
    ContextCache* contexts
)
{
    const Upstream& upstream = request->upstream;
    const ContextResult context = contexts->get(upstream.tls);
    if (!context.context) {
        ErrorText error{"FATAL", "08006", context.problem, {}, {}};
        co_return Connected{nullptr, std::move(error)};
    }
    Connected connected = co_await connect_plain(executor, address, request);
    if (!connected.channel) co_return connected;
    Channel& channel = *connected.channel;
    if (!upstream.tls_direct) {
        const auto answer = co_await ask_for_tls(&channel);
        if (!answer) {
            co_return Connected{nullptr, unreachable(address, describe(channel, answer.error()))};
        }
        const bool has_tls = *answer == 'S';
        if (!has_tls && upstream.tls.mode <= TlsMode::prefer) co_return connected;
        if (!has_tls) {
            co_return Connected{nullptr, unreachable(address, "it does not offer TLS")};
        }
    }
    SslPointer ssl = make_connecting_ssl(context.context, upstream.tls, host);
    if (const ErrorCode error = co_await channel.start_tls(std::move(ssl), false)) {
        const std::string why = channel.is_timed_out() ? describe(channel, error)
                                                       : "TLS: " + tls_problem(channel.stream());
        co_return Connected{nullptr, unreachable(address, why)};
    }
    if (upstream.tls_direct && !speaks_postgresql(channel.stream())) {
        co_return Connected{nullptr, unreachable(address, "TLS without ALPN \"postgresql\"")};
    }
    co_return connected;
}

} // namespace

void prepare_socket(int fd, const SocketOptions& options)
{
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    const auto set = [fd](int option, auto number) {
        const auto value = static_cast<int>(number);
        if (value > 0) ::setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value);
    };
    set(TCP_NODELAY, 1);
    if (options.tcp_keepalive) {
        const int on = 1;
        ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        set(TCP_KEEPIDLE, std::chrono::ceil<seconds>(options.tcp_keepidle).count());
        set(TCP_KEEPINTVL, std::chrono::ceil<seconds>(options.tcp_keepintvl).count());
        set(TCP_KEEPCNT, options.tcp_keepcnt);
    }
    set(TCP_USER_TIMEOUT, std::chrono::ceil<milliseconds>(options.tcp_user_timeout).count());
}

Task<Connected> connect_to(
    Executor executor,
    Address address,
    std::string host,
    const ConnectRequest& request,
    ContextCache& contexts
)
{
    const TlsMode mode = request.upstream.tls.mode;
    const bool never_tls = address.is_unix() || mode == TlsMode::disable;
    if (never_tls || mode == TlsMode::allow) {
        co_return co_await connect_plain(executor, address, &request);
    }
    Connected connected = co_await connect_tls(executor, address, host, &request, &contexts);
    if (connected.channel || mode != TlsMode::prefer) co_return connected;
    co_return co_await connect_plain(executor, address, &request);
}

} // namespace pgweir::net
