#include "load.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <istream>
#include <memory>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/epoll.h>
#include <unistd.h>
#include <vector>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
using Millis = std::chrono::duration<double, std::milli>;

struct Stream {
    std::string label;
    Seconds start{};
    Seconds end{};
    double rate = 0;
    std::size_t connections = 0;
    Millis patience{};
    std::vector<std::string> statements;
    std::string conninfo;

    Clock::time_point next; // request is due
    std::size_t due_count = 0;
    std::deque<Clock::time_point> waiting; // for a connection
};

Stream read_stream(const std::string& line)
{
    std::istringstream words{line};
    const auto word = [&] {
        std::string text;
        if (!std::getline(words, text, '\t'))
            throw std::runtime_error("a word is missing: " + line);
        return text;
    };
    Stream stream;
    stream.label = word();
    stream.start = Seconds{std::stod(word())};
    stream.end = Seconds{std::stod(word())};
    stream.rate = std::stod(word());
    stream.connections = std::stoul(word());
    stream.patience = Millis{std::stod(word())};
    for (std::string text; std::getline(words, text, '\t');) stream.statements.push_back(text);
    if (stream.statements.empty()) throw std::runtime_error("no statement: " + line);
    return stream;
}

class Poller {
public:
    Poller() : fd_{epoll_create1(EPOLL_CLOEXEC)} {}
    ~Poller() { close(fd_); }
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    void add(int fd, std::uint32_t events, void* who)
    {
        epoll_event event{};
        event.events = events;
        event.data.ptr = who;
        if (epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST) {
            epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event);
        }
    }
    std::vector<epoll_event> wait()
    {
        std::vector<epoll_event> events(256);
        const int count = epoll_wait(fd_, events.data(), static_cast<int>(events.size()), 1);
        events.resize(static_cast<std::size_t>(std::max(count, 0)));
        return events;
    }

private:
    int fd_;
};

class Client {
public:
    Client(Stream& stream, Poller& poller, std::ostream& out)
        : stream_{stream}, poller_{poller}, out_{out}
    {
        connect();
    }
    ~Client() { PQfinish(connection_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] bool is_free() const { return is_connected_ && !is_busy_; }
    [[nodiscard]] bool is_busy() const { return is_busy_; }

    void begin(Clock::time_point due)
    {
        due_ = due;
        is_busy_ = true;
        outcome_ = "ok";
        next_ = 0;
        number_ = ++last_number;
        send_next();
    }

    void on_ready()
    {
        if (!is_connected_) return go_on_connecting();
        if (PQconsumeInput(connection_) == 0) return broken();
        while (is_busy_ && PQisBusy(connection_) == 0) {
            PGresult* const result = PQgetResult(connection_);
            if (result == nullptr) {
                send_next();
                continue;
            }
            note(result);
            PQclear(result);
        }
        if (PQstatus(connection_) == CONNECTION_BAD) broken();
    }

    void look_at(Clock::time_point now)
    {
        if (is_busy_ && stream_.patience.count() > 0 && now - due_ > stream_.patience) {
            outcome_ = "gave_up";
            end();
            connect();
        }
        if (!is_connected_ && reconnect_at_ <= now && connection_ == nullptr) connect();
    }

private:
    void connect()
    {
        PQfinish(connection_);
        is_connected_ = false;
        connection_ = PQconnectStart(stream_.conninfo.c_str());
        if (connection_ == nullptr || PQstatus(connection_) == CONNECTION_BAD) return try_later();
        poller_.add(PQsocket(connection_), EPOLLOUT, this);
    }

    void go_on_connecting()
    {
        if (connection_ == nullptr) return;
        switch (PQconnectPoll(connection_)) {
        case PGRES_POLLING_READING: return poller_.add(PQsocket(connection_), EPOLLIN, this);
        case PGRES_POLLING_WRITING: return poller_.add(PQsocket(connection_), EPOLLOUT, this);
        case PGRES_POLLING_OK:
            is_connected_ = true;
            return poller_.add(PQsocket(connection_), EPOLLIN, this);
        case PGRES_POLLING_FAILED:
        case PGRES_POLLING_ACTIVE: return try_later();
        }
    }

    // As an application would that has nothing else to do.
    void try_later()
    {
        PQfinish(connection_);
        connection_ = nullptr;
        is_connected_ = false;
        reconnect_at_ = Clock::now() + std::chrono::milliseconds{100};
    }

    void send_next()
    {
        if (next_ == stream_.statements.size()) return end();
        std::string text = stream_.statements[next_++];
        for (std::size_t at = text.find("%n"); at != text.npos; at = text.find("%n")) {
            text.replace(at, 2, std::to_string(number_));
        }
        if (PQsendQuery(connection_, text.c_str()) == 0) broken();
    }

    void note(const PGresult* result)
    {
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || outcome_ != "ok") return;
        const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        outcome_ = sqlstate != nullptr ? sqlstate : "lost";
    }

    void broken()
    {
        if (is_busy_) {
            if (outcome_ == "ok") outcome_ = "lost";
            end();
        }
        try_later();
    }

    void end()
    {
        const Millis latency = Clock::now() - due_;
        const Millis due = due_ - epoch;
        out_ << stream_.label << '\t' << due.count() << '\t' << latency.count() << '\t' << outcome_
             << '\n';
        is_busy_ = false;
    }

public:
    static inline Clock::time_point epoch{};

private:
    static inline std::uint64_t last_number = 0;

    Stream& stream_;
    Poller& poller_;
    std::ostream& out_;
    PGconn* connection_ = nullptr;
    bool is_connected_ = false;
    bool is_busy_ = false;
    std::size_t next_ = 0;
    std::uint64_t number_ = 0;
    std::string outcome_;
    Clock::time_point due_;
    Clock::time_point reconnect_at_{};
};

using Clients = std::vector<std::unique_ptr<Client>>;

// False: nothing more is to come.
bool make_due(Stream& stream, Clock::time_point now)
{
    const auto start = Client::epoch + std::chrono::duration_cast<Clock::duration>(stream.start);
    if (stream.rate == 0) {
        if (stream.due_count > 0) return false;
        if (now < start) return true;
        stream.waiting.assign(stream.connections, start);
        stream.due_count = stream.connections;
        return false;
    }
    const auto interval = std::chrono::duration_cast<Clock::duration>(Seconds{1 / stream.rate});
    const auto end = Client::epoch + std::chrono::duration_cast<Clock::duration>(stream.end);
    if (stream.due_count == 0) stream.next = start;
    for (; stream.next <= now && stream.next < end; stream.next += interval) {
        stream.waiting.push_back(stream.next);
        ++stream.due_count;
    }
    return stream.next < end;
}

void begin_requests(Stream& stream, const Clients& clients)
{
    for (const auto& client : clients) {
        if (stream.waiting.empty()) return;
        if (!client->is_free()) continue;
        client->begin(stream.waiting.front());
        stream.waiting.pop_front();
    }
}

void connect_all(Poller& poller, const std::vector<Clients>& groups)
{
    const auto deadline = Clock::now() + std::chrono::seconds{60};
    const auto is_free = [](const auto& client) { return client->is_free(); };
    const auto are_free = [&](const Clients& clients) {
        return std::ranges::all_of(clients, is_free);
    };
    while (!std::ranges::all_of(groups, are_free)) {
        if (Clock::now() > deadline) throw std::runtime_error("not all clients could connect");
        for (const epoll_event& event : poller.wait())
            static_cast<Client*>(event.data.ptr)->on_ready();
        for (const Clients& clients : groups) {
            for (const auto& client : clients) client->look_at(Clock::now());
        }
    }
}

} // namespace

void load(const char* conninfo, std::istream& in, std::ostream& out)
{
    std::vector<Stream> streams;
    for (std::string line; std::getline(in, line);) {
        Stream& stream = streams.emplace_back(read_stream(line));
        stream.conninfo = conninfo + (" application_name=" + stream.label);
    }
    Poller poller;
    std::vector<Clients> groups(streams.size());
    for (std::size_t i = 0; i < streams.size(); ++i) {
        for (std::size_t n = 0; n < streams[i].connections; ++n) {
            groups[i].push_back(std::make_unique<Client>(streams[i], poller, out));
        }
    }
    connect_all(poller, groups);

    Client::epoch = Clock::now();
    for (bool goes_on = true; goes_on;) {
        for (const epoll_event& event : poller.wait())
            static_cast<Client*>(event.data.ptr)->on_ready();
        const auto now = Clock::now();
        goes_on = false;
        for (std::size_t i = 0; i < streams.size(); ++i) {
            goes_on |= make_due(streams[i], now) || !streams[i].waiting.empty();
            for (const auto& client : groups[i]) client->look_at(now);
            begin_requests(streams[i], groups[i]);
            goes_on |= std::ranges::any_of(groups[i], [](const auto& c) { return c->is_busy(); });
        }
    }
}

} // namespace bench
