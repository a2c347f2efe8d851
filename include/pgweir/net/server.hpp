// One connection to PostgreSQL, logged in: lent to a client, idle in the pool, or left behind by a
// client and being brought back to order.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/wheel.hpp>
#include <pgweir/net/address.hpp>
#include <pgweir/net/input.hpp>
#include <pgweir/net/options.hpp>
#include <pgweir/net/output.hpp>
#include <pgweir/net/reactor.hpp>
#include <pgweir/net/receipt.hpp>
#include <pgweir/net/stream.hpp>
#include <pgweir/net/target.hpp>
#include <pgweir/pool/core.hpp>
#include <pgweir/session/state.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::net {

class ClientSession;
class Pool;
class Worker;
struct WorkerPool;

/// What a CancelRequest for a server connection needs. Copied: the connection may be gone by then.
struct CancelTarget {
    Upstream upstream; // without its password
    Address address;   // where it is really connected
    HostPort place;    // as the upstream names it
    std::uint32_t process_id = 0;
    std::string secret;
};

/// As the front door hands it over.
struct OpenedServer {
    Stream stream;
    std::shared_ptr<Pool> pool;
    CancelTarget cancel;
    ServerRole role;
    session::SettingsRef defaults;
    TimePoint connected_at{};
    std::uint32_t epoch = 0; // of its pool, when the connect began
    bool is_replication = false;
    bool is_unwanted = false; // its host's name means another address by now
};

enum class ServerUse : std::uint8_t {
    idle,
    lent,
    recovering, // nobody waits for its answers: cancel, drain, roll back
    resetting,  // gets rid of what its last client has left
    checking,   // was idle for long: is it still there?
    held,       // clean, but a cancel request is still on its way to it
    listening,  // for all clients of its pool: net/listener
};
[[nodiscard]] const char* name_of(ServerUse use);

/// Belongs to one worker at a time; may be moved to another while it is idle.
class Server final : public pool::Slot, public Watched, public WheelEntry {
public:
    Server(OpenedServer opened, std::uint64_t serial);

    void on_ready(std::uint32_t events) override;
    /// Its deadline in the wheel has come.
    void on_deadline(TimePoint now) override;

    /// Joins a worker: after login, or coming from another one.
    void attach(Worker& worker, WorkerPool& pool);
    void detach();
    /// Lent, but at rest: it may go to another worker together with its client.
    [[nodiscard]] bool can_follow_client() const;

    /// The client that it was lent to has left, or its lease is over: back to the pool, by way of
    /// whatever is needed to make it clean. `is_cut`: a message of the client's was sent in part.
    /// `wants_cancel`: nobody cares any more about what it is doing.
    void give_back(bool is_cut, bool wants_cancel);
    [[nodiscard]] bool is_being_cancelled() const { return cancels_in_flight_ > 0; }
    void cancel_finished();
    /// Asks PostgreSQL to stop what it is doing.
    void request_cancel();
    /// For a client, unless that is being done already; `receipt` is kept until it is through.
    void request_cancel_for(Receipt receipt);

    [[nodiscard]] std::uint64_t serial() const { return state.serial; }
    [[nodiscard]] const CancelTarget& cancel_target() const { return cancel_; }
    [[nodiscard]] const std::shared_ptr<Pool>& pool() const { return pool_; }
    [[nodiscard]] WorkerPool& worker_pool() const { return *worker_pool_; }
    [[nodiscard]] TimePoint connected_at() const { return connected_at_; }
    [[nodiscard]] bool is_replication() const { return is_replication_; }

    Stream stream;
    session::ServerState state;
    Input input;
    std::size_t wanted = 0; // size of the message at the front of `input`, as far as it is known
    Output output;
    ClientSession* client = nullptr;
    ServerUse use = ServerUse::idle;
    bool is_readable = false;
    bool is_hung_up = false;
    bool has_failed_to_send = false;
    bool is_dead = false;    // taken out of everything; freed at the end of the batch
    bool is_leaving = false; // goes to another worker at the end of the batch

    /// Sends, and watches for room when the socket is full. False: broken.
    [[nodiscard]] bool send(const session::Gather& gather);
    [[nodiscard]] bool flush();

    /// Tells PostgreSQL that we leave, if the socket takes it.
    void say_good_bye();
    /// We end: what it still works at is cancelled.
    void stop();
    /// Asks whether it is still there, and still what is wanted.
    void start_check();
    [[nodiscard]] TimePoint checked_at() const { return checked_at_; }
    /// The hosts of this upstream may have changed their roles. True: it is idle, and may be
    /// checked.
    [[nodiscard]] bool doubt(const Upstream& upstream);

    // For the pool's listener.
    void become_listener();
    /// Sends what was written for it; it must be answered in time.
    void send_round();
    void end_round() { deadline_ = TimePoint::max(); }
    void fail(std::string_view reason) { die(reason); }

private:
    void on_own_events();
    [[nodiscard]] bool read_alone();
    [[nodiscard]] bool take_alone(Bytes bytes);
    void proceed();
    void recover();
    void has_recovered();
    [[nodiscard]] bool needs_care() const;
    void take_care();
    void start_reset();
    void drop_unfinished();
    void give_back_at_work(bool is_cut, bool wants_cancel);
    void forget_errors();
    [[nodiscard]] bool has_wanted_role() const;
    void checked();
    void return_to_pool();
    [[nodiscard]] bool send_own();
    void wake_at(TimePoint time);
    void die(std::string_view reason);

    std::shared_ptr<Pool> pool_;
    CancelTarget cancel_;
    TimePoint connected_at_;
    TimePoint checked_at_;
    std::uint32_t epoch_;
    ServerRole role_; // when it was opened
    bool is_doubted_ = false;
    bool is_replication_;
    Worker* worker_ = nullptr;
    WorkerPool* worker_pool_ = nullptr;
    TimePoint deadline_ = TimePoint::max(); // of recovering, resetting, checking
    std::uint32_t cancels_in_flight_ = 0;
    std::vector<Receipt> receipts_; // until none is in flight
    bool wants_cancel_ = false;     // while recovering: nobody cares about what it is doing
    bool is_cancel_sent_ = false;   // for the query that it is at
    bool is_used_ = false;          // needs the reset of session mode
};

} // namespace pgweir::net
