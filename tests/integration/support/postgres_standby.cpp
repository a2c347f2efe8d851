// The part of Postgres that has to do with a second one that follows the first.
#include "integration/support/postgres.hpp"

#include <csignal>
#include <filesystem>
#include <stdexcept>

namespace pgweir::test {

namespace fs = std::filesystem;

Postgres::Postgres(Postgres& primary)
    : certificates_{directory_.path()},
      data_{directory_ / "data"},
      socket_directory_{directory_ / "sock"},
      log_file_{directory_ / "postgres.log"},
      superuser_database_{"app"}
{
    make_directories();
    fs::permissions(data_, fs::perms::owner_all);
    run({
        .arguments =
            {program("pg_basebackup"),
             "--no-sync",
             "--checkpoint=fast",
             "--write-recovery-conf",
             "--username=postgres",
             "--host=" + primary.socket_directory().string(),
             "--port=" + std::to_string(primary.port()),
             "--pgdata=" + data_.string()},
        .user = "postgres",
    });
    start();
    catch_up(primary);
}

// While the first of them is stopped, it makes no more, and none of them gets another parent.
void Postgres::kill()
{
    superuser_.reset();
    process_->signal(SIGSTOP);
    for (const pid_t child : children()) ::kill(child, SIGKILL);
    process_->signal(SIGKILL);
    if (!process_->wait_exit(Deadline{})) throw std::runtime_error{"PostgreSQL does not die"};
    process_.reset();
}

void Postgres::promote()
{
    sql("SELECT pg_promote()");
    wait_until([&] { return sql("SHOW transaction_read_only") == "off"; }, "it is promoted");
}

void Postgres::catch_up(Postgres& primary)
{
    const std::string place = primary.sql("SELECT pg_current_wal_lsn()");
    const std::string question = "SELECT pg_last_wal_replay_lsn() >= '" + place + "'";
    wait_until([&] { return sql(question) == "t"; }, "the standby has caught up");
}

} // namespace pgweir::test
