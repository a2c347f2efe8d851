#include "integration/support/libpq.hpp"

#include <array>
#include <poll.h>
#include <regex>
#include <stdexcept>

namespace pgweir::test {

namespace {

[[noreturn]] void fail(PGconn* connection, const std::string& what)
{
    throw std::runtime_error{what + ": " + PQerrorMessage(connection)};
}

void require(PGconn* connection, int ok, const std::string& what)
{
    if (ok != 1) fail(connection, what);
}

// True when the socket was ready in time.
bool wait_socket(PGconn* connection, short events, const Deadline& deadline)
{
    pollfd entry{.fd = PQsocket(connection), .events = events, .revents = 0};
    return ::poll(&entry, 1, deadline.poll_timeout()) > 0;
}

void keep_notice(void* target, const PGresult* notice)
{
    for (const char code : {PG_DIAG_SEVERITY_NONLOCALIZED, PG_DIAG_SQLSTATE}) {
        const char* text = PQresultErrorField(notice, code);
        static_cast<std::string*>(target)->append(text == nullptr ? "?" : text).append(" ");
    }
    const char* text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    static_cast<std::string*>(target)->append(text == nullptr ? "?" : text).append("\n");
}

// The login by hand, because only so can we ask libpq to put the SQLSTATE into its message.
void log_in(PGconn* connection)
{
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
    const Deadline deadline;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        const short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (next == PGRES_POLLING_FAILED) fail(connection, "login");
        if (!wait_socket(connection, events, deadline)) fail(connection, "login hangs");
        next = PQconnectPoll(connection);
    }
}

// libpq's "...: FATAL:  28P01: text\nLOCATION: ..." as "28P01 text"; other texts as they are.
std::string shorten(const std::string& message)
{
    static const std::regex with_sqlstate{R"((?:FATAL|ERROR|PANIC):  ([0-9A-Z]{5}): ([^\n]*))"};
    std::smatch match;
    if (!std::regex_search(message, match, with_sqlstate)) return message;
    return match.str(1) + " " + match.str(2);
}

struct Parameters {
    explicit Parameters(const Values& values)
    {
        pointers.reserve(values.size());
        for (const auto& value : values) pointers.push_back(value ? value->c_str() : nullptr);
    }
    [[nodiscard]] int count() const { return static_cast<int>(pointers.size()); }

    std::vector<const char*> pointers;
};

std::string row_text(PGresult* result, int row)
{
    std::string text;
    for (int column = 0; column < PQnfields(result); ++column) {
        if (column > 0) text += '|';
        text += PQgetisnull(result, row, column) != 0 ? "NULL" : PQgetvalue(result, row, column);
    }
    return text;
}

} // namespace

bool Result::is_error() const
{
    return status() == PGRES_FATAL_ERROR || status() == PGRES_BAD_RESPONSE;
}

std::string Result::field(int code) const
{
    const char* text = PQresultErrorField(result_.get(), code);
    return text == nullptr ? "" : text;
}

std::vector<std::string> Result::columns() const
{
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(PQnfields(raw())));
    for (int i = 0; i < PQnfields(result_.get()); ++i) names.emplace_back(PQfname(raw(), i));
    return names;
}

std::string Result::value() const
{
    if (row_count() < 1 || PQnfields(raw()) < 1) {
        throw std::runtime_error{"no value but " + text() + ": " + PQresultErrorMessage(raw())};
    }
    return {PQgetvalue(raw(), 0, 0), static_cast<std::size_t>(PQgetlength(raw(), 0, 0))};
}

std::string Result::value(int row, const std::string& column) const
{
    const int index = PQfnumber(raw(), column.c_str());
    if (index < 0 || row >= row_count()) {
        throw std::runtime_error{"no " + column + " in row " + std::to_string(row)};
    }
    return PQgetvalue(raw(), row, index);
}

std::string Result::text() const
{
    switch (status()) {
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK: break;
    case PGRES_COMMAND_OK: return tag();
    case PGRES_FATAL_ERROR: return "ERROR " + sqlstate();
    case PGRES_PIPELINE_SYNC: return "sync";
    case PGRES_PIPELINE_ABORTED: return "aborted";
    case PGRES_EMPTY_QUERY:
    case PGRES_COPY_OUT:
    case PGRES_COPY_IN:
    case PGRES_COPY_BOTH:
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR: return PQresStatus(status());
    }
    std::string joined;
    for (int row = 0; row < row_count(); ++row) {
        if (row > 0) joined += ';';
        joined += row_text(raw(), row);
    }
    return joined;
}

Connection::Connection(const std::string& conninfo) : connection_{PQconnectStart(conninfo.c_str())}
{
    if (PQstatus(raw()) == CONNECTION_BAD) fail(raw(), "login");
    PQsetNoticeReceiver(raw(), keep_notice, notices_.get());
    log_in(raw());
}

Result Connection::query(const std::string& sql)
{
    std::vector<Result> results = query_all(sql);
    if (results.empty()) fail(raw(), "no result of " + sql);
    return std::move(results.back());
}

std::vector<Result> Connection::query_all(const std::string& sql)
{
    send(sql);
    std::vector<Result> results;
    while (std::optional<Result> result = next_result()) {
        results.push_back(std::move(*result));
        const ExecStatusType status = results.back().status();
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) break;
    }
    return results;
}

Result Connection::only_result()
{
    std::optional<Result> result = next_result();
    if (!result) fail(raw(), "no result");
    while (next_result()) {
    }
    return std::move(*result);
}

Result Connection::query_params(const std::string& sql, const Values& values)
{
    send_params(sql, values);
    return only_result();
}

Result Connection::prepare(const std::string& name, const std::string& sql)
{
    send_prepare(name, sql);
    return only_result();
}

Result Connection::execute(const std::string& name, const Values& values)
{
    send_execute(name, values);
    return only_result();
}

Result Connection::describe(const std::string& name)
{
    require(raw(), PQsendDescribePrepared(raw(), name.c_str()), "describe");
    return only_result();
}

void Connection::send(const std::string& sql)
{
    require(raw(), PQsendQuery(raw(), sql.c_str()), "send");
}

void Connection::send_params(const std::string& sql, const Values& values)
{
    const Parameters parameters{values};
    const int sent = PQsendQueryParams(
        raw(),
        sql.c_str(),
        parameters.count(),
        nullptr,
        parameters.pointers.data(),
        nullptr,
        nullptr,
        0
    );
    require(raw(), sent, "send_params");
}

void Connection::send_prepare(const std::string& name, const std::string& sql)
{
    require(raw(), PQsendPrepare(raw(), name.c_str(), sql.c_str(), 0, nullptr), "send_prepare");
}

void Connection::send_execute(const std::string& name, const Values& values)
{
    const Parameters parameters{values};
    const int sent = PQsendQueryPrepared(
        raw(), name.c_str(), parameters.count(), parameters.pointers.data(), nullptr, nullptr, 0
    );
    require(raw(), sent, "send_execute");
}

void Connection::flush()
{
    const Deadline deadline;
    while (PQflush(raw()) == 1) {
        // Both directions: a peer that cannot send to us may not read from us either.
        if (!wait_socket(raw(), POLLIN | POLLOUT, deadline)) fail(raw(), "flush hangs");
        if (PQconsumeInput(raw()) != 1) fail(raw(), "flush");
    }
}

void Connection::wait_readable(const Deadline& deadline)
{
    flush();
    if (!wait_socket(raw(), POLLIN, deadline)) fail(raw(), "no answer");
    // A failure is for PQgetResult to tell: it also knows what the server said before.
    static_cast<void>(PQconsumeInput(raw()));
}

std::optional<Result> Connection::next_result()
{
    const Deadline deadline;
    while (PQisBusy(raw()) != 0) wait_readable(deadline);
    PGresult* result = PQgetResult(raw());
    if (result == nullptr) return std::nullopt;
    return Result{result};
}

bool Connection::has_result()
{
    flush();
    static_cast<void>(PQconsumeInput(raw()));
    return PQisBusy(raw()) == 0;
}

void Connection::enter_pipeline() { require(raw(), PQenterPipelineMode(raw()), "enter pipeline"); }

void Connection::exit_pipeline() { require(raw(), PQexitPipelineMode(raw()), "exit pipeline"); }

void Connection::sync() { require(raw(), PQpipelineSync(raw()), "sync"); }

void Connection::request_flush()
{
    require(raw(), PQsendFlushRequest(raw()), "flush request");
    flush();
}

std::string Connection::sync_and_read()
{
    sync();
    return read_until_sync();
}

std::string Connection::read_until_sync()
{
    std::string all;
    constexpr int empties_max = 2; // one ends each query, one more means that nothing is left
    for (int empties = 0; empties < empties_max;) {
        const std::optional<Result> result = next_result();
        empties = result ? 0 : empties + 1;
        if (!result) continue;
        all += (all.empty() ? "" : " / ") + result->text();
        if (result->status() == PGRES_PIPELINE_SYNC) break;
    }
    return all;
}

bool Connection::is_lost()
{
    static_cast<void>(PQconsumeInput(raw()));
    static_cast<void>(PQisBusy(raw())); // parses what came, a FATAL error included
    return PQstatus(raw()) == CONNECTION_BAD;
}

std::string Connection::last_words()
{
    wait_until([&] { return is_lost(); }, "the connection is closed");
    // libpq takes an error that nobody asked for, such as a shutdown, for a notice.
    const std::size_t fatal = notices_->rfind("FATAL ");
    if (fatal == std::string::npos) return shorten(PQerrorMessage(raw()));
    const std::string line = notices_->substr(fatal + std::string_view{"FATAL "}.size());
    return line.substr(0, line.find('\n'));
}

int Connection::backend_pid() { return std::stoi(query("SELECT pg_backend_pid() + 0").value()); }

std::string Connection::parameter(const std::string& name) const
{
    const char* value = PQparameterStatus(raw(), name.c_str());
    return value == nullptr ? "" : value;
}

PGTransactionStatusType Connection::transaction_status() const
{
    return PQtransactionStatus(raw());
}

std::string Connection::cancel() const
{
    const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel{
        PQgetCancel(raw()), &PQfreeCancel
    };
    std::array<char, 256> problem{};
    const int sent = PQcancel(cancel.get(), problem.data(), problem.size());
    return sent == 1 ? "" : problem.data();
}

std::string login_error(const std::string& conninfo)
{
    try {
        const Connection connection{conninfo};
        return "";
    } catch (const std::runtime_error& error) {
        return shorten(error.what());
    }
}

std::string texts(const std::vector<Result>& results)
{
    std::string all;
    for (const Result& result : results) all += (all.empty() ? "" : " / ") + result.text();
    return all;
}

} // namespace pgweir::test
