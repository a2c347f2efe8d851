// One client from its first byte to ReadyForQuery: TLS, startup packet, authentication.
#pragma once

#include <pgweir/auth/client_auth.hpp>
#include <pgweir/auth/role_desk.hpp>
#include <pgweir/net/channel.hpp>
#include <pgweir/net/front_door.hpp>
#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/startup.hpp>

#include <optional>
#include <string>

namespace pgweir::net {

class ClientLogin {
public:
    ClientLogin(FrontDoor& door, Channel& channel, bool is_unix, std::string address)
        : door_{door}, channel_{channel}, is_unix_{is_unix}, address_{std::move(address)}
    {
    }

    /// When it returns, the client is a worker's or the console's, or has been told why not.
    Task<void> run();

private:
    /// What became of a step: go on, or the connection is over (and why, if there is a word left
    /// to say to the client).
    struct Verdict {
        bool goes_on = true;
        wire::ErrorText error;
    };

    Task<Verdict> greet();
    Task<Verdict> direct_tls();
    Task<Verdict> answer_encryption_request(bool wants_tls);
    Task<ErrorCode> take_turn();
    Task<bool> start_tls(SslContext context);
    Task<Verdict> take_startup(wire::StartupMessage startup);
    [[nodiscard]] Verdict check_startup() const;
    Task<Verdict> negotiate_protocol();
    [[nodiscard]] wire::ProtocolVersion newest_protocol() const;
    Task<Verdict> authenticate();
    struct Lookup {
        bool is_of_database = false; // who is not found does not exist
        wire::ErrorText problem;
    };
    Task<Lookup> look_up();
    void note_secret(const auth::LoginPlan& plan, std::string_view answer);
    Task<Verdict> prove(const auth::LoginPlan* plan);
    Task<Verdict> prove_by_scram(const auth::LoginPlan* plan);
    Task<Result<std::string>> read_password();
    void pass_on(const std::shared_ptr<Pool>& pool);
    Task<Verdict> enter();
    Task<Verdict> enter_console();
    [[nodiscard]] Buffer welcome_messages(const Pool& pool, const FrontDoor::Key& key) const;
    Task<void> refuse(wire::ErrorText error);
    void note_refusal(const wire::ErrorText& error) const;
    [[nodiscard]] Verdict wrong_password(const std::string& why) const;
    [[nodiscard]] bool is_console() const;

    FrontDoor& door_;
    Channel& channel_;
    bool is_unix_;
    std::string address_;
    TimePoint deadline_; // of the login as a whole
    wire::StartupMessage startup_;
    std::string user_;
    std::string database_;
    session::SettingsRef settings_ = session::no_settings();
    bool wants_replication_ = false;
    std::optional<auth::Role> role_;     // as PostgreSQL has told, if it was asked
    std::optional<auth::Secret> secret_; // what the client has proved to know
};

} // namespace pgweir::net
