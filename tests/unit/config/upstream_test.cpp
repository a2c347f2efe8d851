#include <pgweir/config/upstream.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

using namespace pgweir;
using namespace pgweir::config;

namespace {

// What was understood, or every reason why not.
std::string read(const std::string& text, const UpstreamContext& context = {})
{
    Notes notes;
    const auto upstream = parse_upstream(text, context, notes);
    CHECK(upstream.has_value() == notes.problems.empty());
    return upstream ? format_upstream(*upstream) + "\n" : to_lines(notes.problems);
}

net::Upstream parse(const std::string& text, const UpstreamContext& context = {})
{
    Notes notes;
    return parse_upstream(text, context, notes).value();
}

const UpstreamContext prefer{.tls = net::Upstream{}.tls, .directory = {}, .environment = {}};

} // namespace

TEST_CASE("config/upstream: hosts are tried in order, each with its port")
{
    using Hosts = std::vector<net::HostPort>;
    CHECK(parse("postgresql://a/d").hosts == Hosts{{"a", 5432}});
    CHECK(parse("postgresql://a:1,b,c:3/d").hosts == Hosts{{"a", 1}, {"b", 5432}, {"c", 3}});
    CHECK(parse("host=a,b port=7").hosts == Hosts{{"a", 7}, {"b", 7}});
    CHECK(parse("hostaddr=10.0.0.1").hosts == Hosts{{"10.0.0.1", 5432}});
    CHECK(parse("postgresql://[::1]:5433/").hosts == Hosts{{"::1", 5433}});
}

TEST_CASE("config/upstream: a host may be the directory of a unix socket, and is one by default")
{
    using Hosts = std::vector<net::HostPort>;
    CHECK(parse("postgresql:///d").hosts == Hosts{{"/var/run/postgresql", 5432}});
    CHECK(parse("dbname=d").hosts == Hosts{{"/var/run/postgresql", 5432}});
    CHECK(parse("postgresql:///d?host=/run/pg&port=5433").hosts == Hosts{{"/run/pg", 5433}});
    CHECK(parse("postgresql://%2Frun%2Fpg/d").hosts == Hosts{{"/run/pg", 5432}});
    CHECK(read("host=@abstract") == "abstract unix sockets are not supported\n");
}

TEST_CASE("config/upstream: user and password are decoded")
{
    const auto upstream = parse("postgresql://us%40er:p%3Aw%2Fd@h/my%20db");
    CHECK(upstream.user == "us@er");
    CHECK(upstream.password == "p:w/d");
    CHECK(upstream.has_password);
    CHECK(upstream.dbname == "my db");

    const auto bare = parse("postgresql://h");
    CHECK(bare.user.empty());
    CHECK_FALSE(bare.has_password);
    CHECK(bare.dbname.empty());
}

TEST_CASE("config/upstream: what the string says about TLS beats the defaults")
{
    const UpstreamContext context{
        .tls =
            {.mode = net::TlsMode::require,
             .cert_file = "c",
             .key_file = "k",
             .ca_file = "/ca",
             .crl_file = "",
             .protocol_min = "TLSv1.3"},
        .directory = "/etc/pgweir",
        .environment = {},
    };
    CHECK(parse("postgresql://h/d", context).tls == context.tls);

    const net::TlsOptions expected{
        .mode = net::TlsMode::verify_full,
        .cert_file = "/c2",
        .key_file = "/etc/pgweir/k2",
        .ca_file = "system",
        .crl_file = "/etc/pgweir/crl",
        .protocol_min = "TLSv1.2"
    };
    CHECK(
        parse(
            "host=h sslmode=verify-full sslcert=/c2 sslkey=k2 sslrootcert=system sslcrl=crl "
            "ssl_min_protocol_version=TLSv1.2",
            context
        )
            .tls
        == expected
    );
}

TEST_CASE("config/upstream: TLS can begin without asking, and then must be required")
{
    CHECK(parse("postgresql://h/d?sslnegotiation=direct&sslmode=require").tls_direct);
    CHECK(parse("host=h sslmode=require sslnegotiation=direct").tls_direct);
    CHECK_FALSE(parse("postgresql://h/d?sslnegotiation=postgres").tls_direct);
    CHECK(
        read("postgresql://h/d?sslnegotiation=direct", prefer)
        == "sslnegotiation=direct needs sslmode=require, verify-ca or verify-full\n"
    );
    CHECK(parse("postgresql://h/d?channel_binding=require").channel_binding == "require");
    CHECK(parse("postgresql://h/d").channel_binding == "prefer");
}

TEST_CASE("config/upstream: every problem of a string is named, and none shows the password")
{
    CHECK(
        read("host=a,b port=1,2,3 sslmode=on channel_binding=maybe sslnegotiation=later "
             "password=hunter2 ssl_min_protocol_version=SSLv3")
        == R"(has 2 hosts, but 3 ports
sslmode must be disable, allow, prefer, require, verify-ca or verify-full, is "on"
ssl_min_protocol_version must be TLSv1.2 or TLSv1.3, is "SSLv3"
channel_binding must be disable, prefer or require
sslnegotiation must be postgres or direct
)"
    );
    CHECK(read("host=a port=0") == "port must be between 1 and 65535\n");
    CHECK(read("host=a port=65536") == "port must be between 1 and 65535\n");
    CHECK(read("host=a hostaddr=10.0.0.1") == "has both host and hostaddr: give one of them\n");
}

TEST_CASE("config/upstream: an option that would be ignored is refused by name")
{
    const std::string supported =
        " is not supported; supported are host, hostaddr, port, dbname, user, password, passfile, "
        "service, sslmode, sslrootcert, sslcert, sslkey, sslcrl, sslnegotiation, "
        "ssl_min_protocol_version, channel_binding, connect_timeout\n";
    CHECK(
        read("postgresql://h/d?application_name=x&target_session_attrs=read-write")
        == "option application_name" + supported + "option target_session_attrs" + supported
    );
    CHECK(read("postgresql://h/d?options=-csearch_path%3Dx") == "option options" + supported);
    CHECK(
        read("postgresql://h/d?load_balance_hosts=random")
        == "option load_balance_hosts" + supported
    );
    CHECK(
        read(
            "postgresql://h/"
            "d?target_session_attrs=any&load_balance_hosts=disable&gssencmode=disable",
            prefer
        )
        == "postgresql://h:5432/d?sslmode=prefer\n"
    );
}

TEST_CASE("config/upstream: connect_timeout is accepted, with a word about who decides")
{
    Notes notes;
    CHECK(parse_upstream("postgresql://h/d?connect_timeout=3", prefer, notes));
    CHECK(
        to_lines(notes.warnings)
        == "connect_timeout has no effect: server_connect_timeout of the pool decides\n"
    );
}

TEST_CASE("config/upstream: a password that is not in the string comes from the password file")
{
    const TemporaryDirectory directory;
    directory.write(
        ".pgpass", "localhost:5432:*:app:local\nh:5432:d:app:remote\nh:*:app:app:default\n"
    );
    const UpstreamContext context{
        .tls = {}, .directory = directory.path(), .environment = {{"HOME", directory.path()}}
    };
    CHECK(parse("postgresql://app@h/d", context).password == "remote");
    CHECK(
        parse("postgresql://app@h", context).password == "default"
    ); // dbname is the user's, as in libpq
    CHECK(parse("postgresql://app@/d", context).password == "local");
    CHECK(parse("postgresql://app:own@h/d", context).password == "own");
    CHECK_FALSE(parse("postgresql://other@h/d", context).has_password);
    CHECK(
        parse(
            "host=h dbname=d user=app passfile=.pgpass",
            {.tls = {}, .directory = directory.path(), .environment = {}}
        ).password
        == "remote"
    );

    const UpstreamContext variable{
        .tls = {}, .directory = {}, .environment = {{"PGPASSFILE", directory.path(".pgpass")}}
    };
    CHECK(parse("postgresql://app@h/d", variable).password == "remote");
    CHECK(
        read("host=h user=app passfile=/nowhere/x")
        == "passfile /nowhere/x: No such file or directory\n"
    );
}

TEST_CASE("config/upstream: a password file that others may read is not believed")
{
    const TemporaryDirectory directory;
    directory.write(".pgpass", "*:*:*:*:secret\n", 0644);
    Notes notes;
    const auto upstream = parse_upstream(
        "postgresql://app@h/d",
        {.tls = {}, .directory = {}, .environment = {{"HOME", directory.path()}}},
        notes
    );
    CHECK_FALSE(upstream.value().has_password);
    CHECK(
        to_lines(notes.warnings)
        == directory.path(".pgpass") + " is ignored: others may read it; chmod 0600 it\n"
    );
}

TEST_CASE("config/upstream: a service fills what the string leaves open")
{
    const TemporaryDirectory directory;
    directory.write("services", "[orders]\nhost=db\nport=5433\nuser=app\ndbname=orders\n");
    const std::string file = directory.path("services");
    const UpstreamContext context{
        .tls = {},
        .directory = {},
        .environment = {{"PGSERVICEFILE", file}, {"PGSYSCONFDIR", "/nowhere"}}
    };
    CHECK(
        read("service=orders dbname=other", context)
        == "postgresql://app@db:5433/other?sslmode=disable\n"
    );
    CHECK(
        read("service=billing", context)
        == "service \"billing\" is not in " + file + " or /nowhere/pg_service.conf\n"
    );
}

TEST_CASE("config/upstream: it is shown as a URL without its password")
{
    CHECK(
        read("host=/run/pg,::1 user=a@b password=hunter2 dbname='my db' sslmode=require")
        == "postgresql://a%40b:********@%2Frun%2Fpg:5432,[::1]:5432/my%20db?sslmode=require\n"
    );
}
