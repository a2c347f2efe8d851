// Everything in which pgweir may differ from PostgreSQL, and nothing else may. One list.
#pragma once

#include "differential/session.hpp"

#include <vector>

namespace pgweir::differential {

/// What came back, made comparable:
/// 1. BackendKeyData: a process id and a secret of its own. Blanked.
/// 2. NotificationResponse: the process id of who notified. Blanked. When one comes is a matter of
///    timing, so they are compared as a sequence of their own.
/// 3. RowDescription: object ids of tables, which temporary tables draw from a counter that all
///    databases share. Whether there is one is compared.
/// 4. CONTEXT of an error in PL/pgSQL: how a function is called there, with schema and quotes or
///    without, was decided when the session first called it. The name is left out.
/// 5. FILE, LINE and ROUTINE of an error: the place in PostgreSQL's source, which an answer that
///    pgweir gives by itself cannot know. Left out, but for --source-positions.
/// 6. At login: the order in which parameters are reported.
/// What no stream asks for, because the answer depends on the session that PostgreSQL gives, is
/// said in vocabulary.hpp.
struct Comparable {
    std::vector<Message> replies;
    std::vector<Message> notifications;
};

struct Rules {
    bool source_positions = false; // are compared
};
[[nodiscard]] Comparable make_comparable(std::vector<Message> messages, const Rules& rules);
[[nodiscard]] Comparable make_login_comparable(std::vector<Message> messages, const Rules& rules);

} // namespace pgweir::differential
