// Asks a server what a transaction has left in its session, where its answers have not told.
#pragma once

#include <pgweir/session/gather.hpp>
#include <pgweir/session/knowledge.hpp>
#include <pgweir/session/sql.hpp>
#include <pgweir/session/state.hpp>

#include <string>

namespace pgweir::session {

/// The client's message may change what the reading says: it will be asked about. `clientele`: whom
/// it may signal by numbers of ours; null: nobody.
void raise_doubts(
    ServerState& server,
    ClientState& client,
    const SqlReading& reading,
    Knowledge& knowledge,
    const Clientele* clientele = nullptr
);

/// One SELECT about `parts`, of which PostgreSQL must be able to tell. Rows of three texts: what it
/// is about, a name and a value.
[[nodiscard]] std::string question_about(Parts parts, const Knowledge& knowledge);

/// Asks about all that is in doubt. The server must be idle. The answer is collected in
/// server.answer, and is complete when nothing more is owed.
void ask(ServerState& server, Knowledge& knowledge, Gather& to_server);

/// One row of the answer. False: it makes no sense.
[[nodiscard]] bool take_answer_row(Answer& answer, Bytes body);

/// One that is too long to be carried to another server, by its front: the client keeps this one.
void take_long_answer_row(Answer& answer, Bytes front);

/// What the answer means: the server's state, the client's wish for the next time, and whether it
/// must keep this server. If doubts are left, there is more to ask.
void take_answer(ServerState& server, ClientState& client, Knowledge& knowledge);

/// There is no answer: the database cannot be asked.
void give_up_question(ServerState& server, Knowledge& knowledge);

} // namespace pgweir::session
