#include "integration/support/failure_log.hpp"

#include <doctest/doctest.h>

#include <iostream>

namespace pgweir::test {

namespace {

std::string& kept()
{
    static std::string text;
    return text;
}

// A case that failed ends after its destructors have run, when every process is gone already;
// so their logs are kept, and this is who prints them.
struct FailureLog final : doctest::IReporter {
    explicit FailureLog(const doctest::ContextOptions& /*options*/) {}

    void test_case_start(const doctest::TestCaseData& /*data*/) override { kept().clear(); }
    void test_case_end(const doctest::CurrentTestCaseStats& stats) override
    {
        if (stats.failure_flags != 0) std::cout << kept() << std::flush;
    }

    void report_query(const doctest::QueryData& /*data*/) override {}
    void test_run_start() override {}
    void test_run_end(const doctest::TestRunStats& /*stats*/) override {}
    void test_case_reenter(const doctest::TestCaseData& /*data*/) override {}
    void test_case_exception(const doctest::TestCaseException& /*data*/) override {}
    void subcase_start(const doctest::SubcaseSignature& /*data*/) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData& /*data*/) override {}
    void log_message(const doctest::MessageData& /*data*/) override {}
    void test_case_skipped(const doctest::TestCaseData& /*data*/) override {}
};

REGISTER_LISTENER("failure_log", 1, FailureLog);

} // namespace

void keep_for_failure(const std::string& title, const std::string& text)
{
    constexpr std::size_t enough = 16'384;
    const std::size_t start = text.size() > enough ? text.size() - enough : 0;
    kept() += "---- log of " + title + "\n" + text.substr(start) + "----\n";
}

} // namespace pgweir::test
