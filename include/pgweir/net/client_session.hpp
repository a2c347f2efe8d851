// One logged-in client: reads its messages, borrows a server when one is needed, passes answers
// back. Everything it waits for ends in advance(), which does what can be done.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/flags.hpp>
#include <pgweir/base/wheel.hpp>
#include <pgweir/net/input.hpp>
#include <pgweir/net/output.hpp>
#include <pgweir/net/reactor.hpp>
#include <pgweir/net/stream.hpp>
#include <pgweir/pool/shared.hpp>
#include <pgweir/session/fingerprint.hpp>
#include <pgweir/session/forward.hpp>
#include <pgweir/session/state.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pgweir::net {

class Pool;
class Server;
class Worker;
struct WorkerPool;

/// As the front door hands it over.
struct LoggedInClient {
    Stream stream;
    std::shared_ptr<Pool> pool;
    ClientId id{};
    session::SettingsRef startup;
    std::string address;
    std::string secret; // of its cancel key
    Buffer welcome;     // what it is told first
    Buffer early;       // bytes that came behind the last message of the login
    /// No server has taken its settings yet: ReadyForQuery has not been said, and is the answer to
    /// the Sync that `early` begins with.
    bool is_unproven = false;
    bool wants_replication = false;
    std::vector<session::Settings::Entry> replication_parameters;
    TimePoint connected_at{};
};

/// Why a session ended: a word of the log, and of a counter.
enum class ClientEnd : std::uint8_t {
    terminated, // it said good-bye
    gone,       // it closed without a word, or the connection broke
    refused,    // it broke the protocol or a limit
    server_lost,
    idle_transaction_timeout,
    idle_timeout,
    shutting_down,
    killed, // by pg_terminate_backend()
};
[[nodiscard]] const char* name_of(ClientEnd end);

/// What must come before a client may go on.
enum class Awaited : std::uint8_t {
    server = 1U << 0,
    replies = 1U << 1,  // the next message depends on them
    proof = 1U << 2,    // settings were sent alone, to see whether they are taken
    answer = 1U << 3,   // to what its last transaction has done to the session
    handover = 1U << 4, // of its channels to the listener
    news = 1U << 5,     // of the listener's, before what its server has said is passed on
    signal = 1U << 6,   // to be given to another client, likewise
};

class ClientSession final : public pool::Waiter, public Watched, public WheelEntry {
public:
    ClientSession(Worker& worker, WorkerPool& pool, LoggedInClient client);

    void on_ready(std::uint32_t events) override;
    void on_deadline(TimePoint now) override;

    /// What it waited for: a server, or why there is none.
    void granted(Server& server);
    void refused(ErrorCode reason);
    /// The connection that was to be opened for it alone was not.
    void open_failed(const wire::ErrorText& error);

    /// The server that is lent has something to say, or room for more.
    void on_server_ready();
    void on_server_lost(const char* reason);

    /// Ends idle sessions; a session with a transaction ends when that does.
    void drain();
    void end(ClientEnd reason, const wire::ErrorText& error);
    void start(Bytes welcome = {});

    [[nodiscard]] ClientId id() const { return state_.id; }
    [[nodiscard]] Server* server() const { return server_; }
    [[nodiscard]] bool is_waiting() const { return awaits_.has(Awaited::server); }
    [[nodiscard]] bool is_closing() const { return phase_ == Phase::closing; }
    /// What its server works at is ours.
    [[nodiscard]] bool is_asking() const
    {
        return !(awaits_ & (Flags{Awaited::answer} | Awaited::handover)).empty();
    }
    /// The listener of its pool listens for it.
    [[nodiscard]] bool is_listening() const
    {
        return state_.listening && !state_.listening->heard().empty();
    }
    /// It keeps its server for what no other can be given.
    [[nodiscard]] bool is_pinned() const;
    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] TimePoint connected_at() const { return connected_at_; }
    [[nodiscard]] TimePoint waiting_since() const { return since(); }
    [[nodiscard]] TimePoint last_active() const { return active_at_; }
    [[nodiscard]] const session::ClientState& state() const { return state_; }
    [[nodiscard]] const Stream& stream() const { return stream_; }
    [[nodiscard]] const Pool& pool() const;

    /// Its own has reached the other client.
    void signalled();
    /// Somebody else's.
    void terminate();

    // client_listen.cpp: what the listener of its pool says
    void listening_granted(std::uint64_t request);
    void donate();
    void caught_up();
    void deliver_notifications();

    // client_move.cpp: from worker to worker
    /// Now: it is between two transactions, and nothing is on its way to it.
    [[nodiscard]] bool can_move() const;
    /// Stays on its worker in any case.
    [[nodiscard]] bool is_bound() const;
    /// Roughly what it costs: how often something was read for it since the counting began.
    [[nodiscard]] std::uint64_t work() const { return work_; }
    void start_counting() { work_ = 0; }
    [[nodiscard]] const std::shared_ptr<Pool>& shared_pool() const;
    /// Leaves its worker. Until join() it may only be destroyed.
    void detach();
    void join(Worker& worker, WorkerPool& pool);
    /// The groups of its pool may be others.
    void forget_group() { grouped_.reset(); }

private:
    enum class Phase : std::uint8_t {
        open,
        closing, // the last word is said: wait for the peer to close
        gone,    // freed at the end of the batch
    };
    /// Its server works for us, and not for the client.
    static constexpr Flags<Awaited> our_work = Flags{Awaited::proof} | Awaited::answer
                                               | Awaited::handover;
    /// What its server has said is not passed on yet.
    static constexpr Flags<Awaited> held_back = Flags{Awaited::news} | Awaited::signal;

    [[nodiscard]] bool is_gone() const { return phase_ == Phase::gone; }
    void await(Awaited what) { awaits_ |= what; }
    void has_come(Flags<Awaited> what) { awaits_ = awaits_.without(what); }
    friend class Worker;

    // client_session.cpp: what goes over the sockets
    void advance();
    bool pump_client();
    bool process(Bytes input);
    bool has_server_for(Bytes input);
    bool forward(Bytes& input);
    [[nodiscard]] bool needs_server_now(Bytes input) const;
    bool follow(const session::Step& step, Bytes rest);
    void pump_server();
    [[nodiscard]] bool can_read_client() const;
    [[nodiscard]] bool can_read_server() const;
    void process_replies(Bytes input);
    void look_at_news();
    void hold_for_signal();
    void send_to_server();
    void say_again(Bytes said);
    void say_again_to_new();
    [[nodiscard]] bool send_to_client();
    bool flush_client();
    void keep(Bytes input, bool is_ready);
    void discard_input();
    void leave(ClientEnd reason);
    void count(const session::ForwardCounts& counts);
    [[nodiscard]] bool is_over() const { return phase_ != Phase::open; }

    // client_lease.cpp: servers, and the time that they take
    bool acquire(Bytes input);
    void look_at_group();
    [[nodiscard]] std::string_view application() const;
    [[nodiscard]] session::Glance glance_at(Bytes input) const;
    void note_class(Bytes input, std::uint64_t fingerprint);
    void attach(Server& server);
    bool begin_lease(Bytes input);
    void settings_proven();
    void settings_failed();
    void swap_for_new(Server& server);
    void replies_ended(std::uint32_t ready);
    void rest_if_thinking();
    void release_if_idle();
    void release();
    void give_server_back(bool wants_cancel);
    void update_deadline();
    [[nodiscard]] TimePoint deadline() const;
    [[nodiscard]] TimePoint open_deadline() const;
    [[nodiscard]] TimePoint lease_deadline() const;
    void lease_timed_out(TimePoint now);
    void end_idle_transaction();
    void cancel_for(const char* setting, Duration limit);
    void abort_idle_transaction();
    [[nodiscard]] bool owns_server() const;
    [[nodiscard]] bool keeps_server() const;
    void log_pin();
    void log_unpin();
    void log_dropped_state();
    void ask();
    void answered();
    void pinned();
    void question_failed();
    [[nodiscard]] bool waits_for_sequences() const;
    void unpin();
    [[nodiscard]] bool has_lost_nothing(const Server& lost);
    [[nodiscard]] bool can_go_on_without(const Server& lost) const;
    void go_on_without(Server& lost, wire::ErrorText error);
    [[nodiscard]] bool has_left_unread(const Server& lost) const;

    // client_refuse.cpp: why there is none
    void refuse(wire::ErrorText error);
    bool refuse_front(Bytes& input);
    bool refuse_input(Bytes input);
    [[nodiscard]] wire::ErrorText refusal(ErrorCode reason) const;

    // client_listen.cpp
    [[nodiscard]] bool can_share_listener() const;
    [[nodiscard]] bool waits_for_listener() const;
    void follow_channels();
    void continue_handover();
    void handed_over();
    void stop_listening();
    void hold_for_news();
    [[nodiscard]] bool tell_news();

    Worker* worker_; // null, both: on its way between two workers
    WorkerPool* pool_;
    Stream stream_;
    Input input_;
    Output output_;
    session::ClientState state_;
    Server* server_ = nullptr;
    const Server* last_server_ = nullptr; // to be compared with, never looked at: it may be gone
    std::string address_;
    session::SettingsRef grouped_; // those that its group was found with. Null: none yet
    std::unique_ptr<wire::ErrorText> refusal_; // while one of its requests is being refused
    std::unique_ptr<std::vector<session::Settings::Entry>> replication_;
    std::uint64_t work_ = 0;
    std::uint64_t noted_class_ = 0; // the last one
    std::uint64_t reopenings_ = 0;  // of the listener, when the handover to it began
    std::size_t wanted_ = 0; // size of the message at the front of input_, as far as it is known
    TimePoint connected_at_;
    TimePoint active_at_;  // last sign of life: client_idle_timeout
    TimePoint lent_at_{};  // transaction_timeout
    TimePoint query_at_{}; // the oldest unanswered message was sent: query_timeout
    TimePoint quiet_at_{}; // all was answered: idle_transaction_timeout
    TimePoint pinned_at_{};
    TimePoint cancel_at_ = TimePoint::max(
    ); // we cancelled; it must be over cancel_wait_timeout later
    TimePoint close_at_ = TimePoint::max();

    Flags<Awaited> awaits_;
    Phase phase_ = Phase::open;
    bool is_logging_in_ = false; // LoggedInClient::is_unproven
    bool is_readable_ = false;
    bool is_hung_up_ = false;      // FIN has come: read on until the end is seen
    bool is_kept_ready_ = false;   // input_ holds whole messages, not just the front of one
    bool is_lease_new_ = false;    // the server's settings have not been looked at
    bool is_plain_select_ = false; // what it has asked for a server for, until that gets it
    bool is_transaction_timed_out_ = false;
    bool is_draining_ = false;
};

} // namespace pgweir::net
