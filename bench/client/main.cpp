// The client of the measurements that pgbench cannot make. Prints one line of JSON for each.
//   bench_client rows CONNINFO QUERY          runs the query and discards what comes
//   bench_client copy-in CONNINFO TABLE SIZE  sends SIZE bytes of rows with COPY
//   bench_client idle CONNINFO COUNT          opens connections, holds them until stdin ends
// and, with lines of its own (load.hpp):
//   bench_client load CONNINFO                requests when they are due, as stdin says
#include "load.hpp"
#include "messages.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace bench {
namespace {

struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using QueryResult = std::unique_ptr<PGresult, Finish>;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Connection connect(const char* conninfo)
{
    Connection connection{PQconnectdb(conninfo)};
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    return connection;
}

void execute(PGconn* connection, const char* query, ExecStatusType wanted)
{
    const QueryResult result{PQexec(connection, query)};
    if (PQresultStatus(result.get()) != wanted)
        throw std::runtime_error(PQerrorMessage(connection));
}

void rows(const char* conninfo, const char* query)
{
    const Connection connection = connect(conninfo);
    const auto start = Clock::now();
    send_query(PQsocket(connection.get()), query);
    const Received received = discard_replies(PQsocket(connection.get()));
    std::cout << "{\"bytes\": " << received.bytes << ", \"messages\": " << received.messages
              << ", \"seconds\": " << seconds_since(start) << "}\n";
}

void copy_in(const char* conninfo, const std::string& table, std::size_t size)
{
    const Connection connection = connect(conninfo);
    std::string block(std::size_t{64} * 1024, 'x');
    for (std::size_t i = 1023; i < block.size(); i += 1024) block[i] = '\n';

    const auto start = Clock::now();
    // Every row is read and parsed by the server, and none is stored: the disk stays out of it.
    execute(connection.get(), ("COPY " + table + " FROM STDIN WHERE false").c_str(), PGRES_COPY_IN);
    std::size_t sent = 0;
    for (; sent < size; sent += block.size()) {
        if (PQputCopyData(connection.get(), block.data(), static_cast<int>(block.size())) != 1)
            throw std::runtime_error(PQerrorMessage(connection.get()));
    }
    if (PQputCopyEnd(connection.get(), nullptr) != 1)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    const QueryResult result{PQgetResult(connection.get())};
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    std::cout << "{\"bytes\": " << sent << ", \"seconds\": " << seconds_since(start) << "}\n";
}

void allow_descriptors(std::size_t count)
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= count) return;
    limit.rlim_cur = count;
    if (limit.rlim_max < count) limit.rlim_max = count; // root may
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        throw std::runtime_error("needs " + std::to_string(count) + " open files: raise ulimit -n");
}

void idle(const char* conninfo, std::size_t count)
{
    allow_descriptors(count + 64);
    std::vector<Connection> connections;
    connections.reserve(count);
    const auto start = Clock::now();
    while (connections.size() < count) {
        connections.push_back(connect(conninfo));
        execute(connections.back().get(), "SELECT 1", PGRES_TUPLES_OK); // a client that has worked
    }
    std::cout << "{\"clients\": " << connections.size() << ", \"seconds\": " << seconds_since(start)
              << "}\n"
              << std::flush;
    while (std::cin.get() != std::char_traits<char>::eof()) {
    }
    // Thousands of polite goodbyes take long, and nothing is measured any more.
    std::_Exit(EXIT_SUCCESS);
}

int run(const std::vector<std::string>& arguments)
{
    const std::string what = arguments.empty() ? "" : arguments[0];
    if (what == "rows" && arguments.size() == 3)
        rows(arguments[1].c_str(), arguments[2].c_str());
    else if (what == "copy-in" && arguments.size() == 4)
        copy_in(arguments[1].c_str(), arguments[2], std::stoul(arguments[3]));
    else if (what == "idle" && arguments.size() == 3)
        idle(arguments[1].c_str(), std::stoul(arguments[2]));
    else if (what == "load" && arguments.size() == 2) {
        allow_descriptors(4'096);
        load(arguments[1].c_str(), std::cin, std::cout);
    } else {
        std::cerr << "usage: bench_client rows CONNINFO QUERY | copy-in CONNINFO TABLE SIZE | "
                     "idle CONNINFO COUNT | load CONNINFO\n";
        return 2;
    }
    return 0;
}

} // namespace
} // namespace bench

int main(int argc, char** argv)
{
    try {
        return bench::run({argv + 1, argv + argc});
    } catch (const std::exception& problem) {
        std::cerr << "bench_client: " << problem.what() << '\n';
        return 1;
    }
}
