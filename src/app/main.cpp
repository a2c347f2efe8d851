#include <pgweir/app/arguments.hpp>
#include <pgweir/app/check.hpp>
#include <pgweir/app/daemon.hpp>
#include <pgweir/base/log.hpp>
#include <pgweir/config/load.hpp>

#include <boost/version.hpp>
#include <openssl/crypto.h>

#include <cstdio>
#include <exception>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using namespace pgweir;

config::Environment read_environment()
{
    config::Environment environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text{*entry};
        const std::size_t equals = text.find('=');
        if (equals != std::string::npos) {
            environment[text.substr(0, equals)] = text.substr(equals + 1);
        }
    }
    return environment;
}

int print_version()
{
    std::printf(
        "pgweir %s (g++ %s, Boost %d.%d, %s)\n",
        PGWEIR_VERSION,
        __VERSION__,
        BOOST_VERSION / 100'000,
        BOOST_VERSION / 100 % 1'000,
        OpenSSL_version(OPENSSL_VERSION)
    );
    return 0;
}

int run(const config::LoadRequest& request)
{
    config::LoadResult result = config::load(request);
    if (result.settings) {
        configure_log(result.settings->log_level, result.settings->log_format);
    }
    for (const auto& warning : result.warnings) {
        log(LogLevel::warning, "config_warning", {{"problem", warning.to_string()}});
    }
    for (const auto& problem : result.problems) {
        std::fprintf(stderr, "pgweir: %s\n", problem.to_string().c_str());
    }
    if (!result.settings) return 1;
    app::Daemon daemon{request, std::move(*result.settings)};
    return daemon.run();
}

int act(const std::vector<std::string>& words)
{
    const app::Arguments arguments = app::read_arguments(words);
    if (!arguments.problem.empty()) {
        std::fprintf(stderr, "pgweir: %s\n", arguments.problem.c_str());
        return 2;
    }
    config::LoadRequest request;
    request.file = arguments.config_file;
    request.overrides = arguments.overrides;
    request.environment = read_environment();
    switch (arguments.verb) {
    case app::Verb::run: return run(request);
    case app::Verb::check: return app::check(request);
    case app::Verb::status: return app::status(request);
    case app::Verb::version: return print_version();
    case app::Verb::help: std::printf("%s", app::help_text().data()); return 0;
    }
    return 2;
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return act({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "pgweir: %s\n", error.what());
        return 1;
    }
}
