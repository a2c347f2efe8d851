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

TEST_CASE("config/upstream: hostaddr says where a host is, whatever its name")
{
    using Hosts = std::vector<net::HostPort>;
    CHECK(
        parse("host=a,b hostaddr=10.0.0.1, port=1,2").hosts == Hosts{{"a", 1, "10.0.0.1"}, {"b", 2}}
    );
    CHECK(
        parse("postgresql://a/d?hostaddr=fe80::1%25lo").hosts == Hosts{{"a", 5432, "fe80::1%lo"}}
    );
    CHECK(parse("hostaddr=::1,10.0.0.1").hosts == Hosts{{"::1", 5432}, {"10.0.0.1", 5432}});
    CHECK(read("host=a,b hostaddr=10.0.0.1") == "has 2 hosts, but 1 in hostaddr\n");
    CHECK(read("host=a hostaddr=b") == "hostaddr must be an address, is \"b\"\n");
    CHECK(
        read("host=a,b hostaddr=,::1", prefer)
        == "postgresql://a:5432,b:5432/?sslmode=prefer&hostaddr=,::1\n"
    );
}

TEST_CASE("config/upstream: which of several servers is wanted")
{
    using net::SessionAttrs;
    const auto attrs = [](const std::string& word) {
        return parse("postgresql://a,b/d?target_session_attrs=" + word).target_session_attrs;
    };
    CHECK(parse("postgresql://a,b/d").target_session_attrs == SessionAttrs::any);
    CHECK(attrs("any") == SessionAttrs::any);
    CHECK(attrs("read-write") == SessionAttrs::read_write);
    CHECK(attrs("read-only") == SessionAttrs::read_only);
    CHECK(attrs("primary") == SessionAttrs::primary);
    CHECK(attrs("standby") == SessionAttrs::standby);
    CHECK(attrs("prefer-standby") == SessionAttrs::prefer_standby);
    CHECK_FALSE(parse("host=a,b load_balance_hosts=disable").balances_hosts);
    CHECK(parse("host=a,b load_balance_hosts=random").balances_hosts);
    CHECK(
        read("host=a target_session_attrs=master load_balance_hosts=yes connect_timeout=1s")
        == "target_session_attrs must be any, read-write, read-only, primary, standby or "
           "prefer-standby\nload_balance_hosts must be disable or random\n"
           "connect_timeout must be a number of seconds\n"
    );
    const std::string url = "postgresql://a:5432,b:5432/?sslmode=prefer"
                            "&target_session_attrs=prefer-standby&load_balance_hosts=random"
                            "&connect_timeout=3";
    CHECK(read(url, prefer) == url + "\n");
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
}

TEST_CASE("config/upstream: an option that would be ignored is refused by name")
{
    const std::string supported =
        " is not supported; supported are host, hostaddr, port, dbname, user, password, passfile, "
        "service, target_session_attrs, load_balance_hosts, connect_timeout, sslmode, "
        "sslrootcert, sslcert, sslkey, sslcrl, sslnegotiation, ssl_min_protocol_version, "
        "channel_binding\n";
    CHECK(
        read("postgresql://h/d?application_name=x&keepalives=0")
        == "option application_name" + supported + "option keepalives" + supported
    );
    CHECK(read("postgresql://h/d?options=-csearch_path%3Dx") == "option options" + supported);
    CHECK(
        read(
            "postgresql://h/"
            "d?target_session_attrs=any&load_balance_hosts=disable&gssencmode=disable",
            prefer
        )
        == "postgresql://h:5432/d?sslmode=prefer\n"
    );
}

TEST_CASE("config/upstream: connect_timeout is for each host")
{
    CHECK(parse("postgresql://h/d?connect_timeout=3").connect_timeout == std::chrono::seconds{3});
    CHECK(parse("postgresql://h/d?connect_timeout=-1").connect_timeout == Duration::zero());
    CHECK(parse("postgresql://h/d").connect_timeout == Duration::zero());
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

TEST_CASE("config/upstream: the password file may know each of several hosts")
{
    const TemporaryDirectory directory;
    directory.write(".pgpass", "a:*:*:app:one\nb:*:*:app:two\nc:*:*:app:one\n");
    const UpstreamContext context{
        .tls = {}, .directory = {}, .environment = {{"HOME", directory.path()}}
    };
    CHECK(parse("postgresql://app@x,c,a/d", context).password == "one");
    Notes notes;
    CHECK(parse_upstream("postgresql://app@a,b/d", context, notes).value().password == "one");
    CHECK(
        to_lines(notes.warnings)
        == directory.path(".pgpass")
               + " has different passwords for the hosts: the first of them is used\n"
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
