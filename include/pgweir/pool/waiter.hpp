// Who waits for a server connection, and what is known of one who was taken from the queue.
#pragma once

#include <pgweir/base/clock.hpp>
#include <pgweir/base/ids.hpp>
#include <pgweir/pool/fair.hpp>
#include <pgweir/pool/lanes.hpp>

#include <boost/intrusive/list.hpp>

namespace pgweir::pool {

struct QueueRow;

/// A client's place in the queue. Lives in its session, and belongs to the queue while linked.
class Waiter : public boost::intrusive::list_base_hook<> {
public:
    Waiter(ClientId client, WorkerId worker) : client_{client}, worker_{worker} {}

    [[nodiscard]] ClientId client() const { return client_; }
    [[nodiscard]] WorkerId worker() const { return worker_; }
    [[nodiscard]] TimePoint since() const { return since_; }
    [[nodiscard]] ClassId class_id() const { return class_id_; }
    [[nodiscard]] Pace pace() const { return pace_; }
    [[nodiscard]] const Group& group() const { return group_; }
    void start(TimePoint now, ClassId id = ClassId::none, Pace pace = Pace::any)
    {
        since_ = now;
        class_id_ = id;
        pace_ = pace;
    }
    /// Its client has gone to another worker, and waits for nothing.
    void move_to(WorkerId worker) { worker_ = worker; }
    /// While it waits for nothing.
    void join_group(const Group& group) { group_ = group; }

private:
    friend class Queue;

    ClientId client_;
    TimePoint since_{};
    ClassId class_id_ = ClassId::none;
    QueueRow* row_ = nullptr; // while linked
    Group group_;
    WorkerId worker_;
    Pace pace_ = Pace::any;
};

/// Who was taken from the queue. `own` is null for another worker's waiter: it may be gone by the
/// time anybody looks.
struct Taken {
    ClientId client;
    WorkerId worker;
    Waiter* own;
    ClassId class_id = ClassId::none;
    Pace pace = Pace::any;
    Charge charge{};
};

} // namespace pgweir::pool
