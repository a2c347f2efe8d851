// Which worker serves which clients: as few workers as the load needs, because each more that is
// half idle costs wake-ups and moves. Knows loads, counts and times; no thread, and no clock.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/ids.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pgweir::pool {

/// As a worker has last published it. A position in a list of these is the worker's id.
struct WorkerLoad {
    std::uint32_t percent = 0; // of one core
    std::size_t clients = 0;
};

/// What one worker may use before clients go to others. Zero: they are spread over all from the
/// beginning.
inline constexpr std::uint32_t load_max_default = 75;

/// Where a new client goes: to the first worker that has room, or to the least loaded.
[[nodiscard]] WorkerId worker_for_client(
    std::span<const WorkerLoad> workers, std::uint32_t load_max
);

/// Clients that go to another worker.
struct Handover {
    WorkerId to;
    std::uint32_t percent; // of what this worker does; 100: everybody, also who does nothing

    friend bool operator==(const Handover&, const Handover&) = default;
};

/// What a client has made its worker do since counting began.
struct ClientWork {
    ClientId client;
    std::uint64_t work;
    bool is_bound; // it stays in any case
};

/// Who goes: as much work as is asked for and never more, so that one client that is the whole load
/// stays where it is. Those that work most come first. Bounded: the others go another time.
[[nodiscard]] std::vector<ClientId> choose_clients(
    std::vector<ClientWork> clients, const Handover& handover
);

/// One worker's eye on all of them. The busiest worker shares with the idlest, the second busiest
/// with the second idlest, so that no two choose the same; and only one worker at a time empties
/// itself into a lower one.
class Balance {
public:
    static constexpr Duration spread_patience = std::chrono::milliseconds{250};
    static constexpr Duration merge_patience = std::chrono::seconds{5};
    static constexpr std::uint32_t gap_min = 25; // percent: less is not worth a move

    Balance(WorkerId self, std::uint32_t load_max) : self_{self}, load_max_{load_max} {}

    struct Verdict {
        bool starts_counting = false; // from now on clients' work is worth knowing
        std::optional<Handover> handover;

        friend bool operator==(const Verdict&, const Verdict&) = default;
    };

    /// Now and then. What it wants must last for its patience, which is long for what only saves.
    [[nodiscard]] Verdict look(std::span<const WorkerLoad> workers, TimePoint now);

private:
    enum class Aim { none, spread, merge };

    [[nodiscard]] std::optional<Handover> spread(std::span<const WorkerLoad> workers) const;
    [[nodiscard]] std::optional<Handover> merge(std::span<const WorkerLoad> workers) const;

    WorkerId self_;
    std::uint32_t load_max_;
    Aim aim_ = Aim::none;
    TimePoint since_{};
};

} // namespace pgweir::pool
