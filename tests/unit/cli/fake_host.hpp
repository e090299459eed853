// A host that is whatever a test says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>

#include "api/cli/doctor/check.hpp"
#include "api/cli/doctor/outside.hpp"

namespace viaduct::api::cli {

inline void expect_check(const Check& check, Verdict verdict, const char* seen, const char* cure = "") {
  EXPECT_EQ(to_string(check.verdict), to_string(verdict)) << check.name << ": " << check.seen;
  EXPECT_THAT(check.seen, testing::HasSubstr(seen));
  EXPECT_THAT(check.cure, testing::HasSubstr(cure));
  const bool bad = verdict == Verdict::warning || verdict == Verdict::failed;
  EXPECT_EQ(check.cure.empty(), !bad) << check.name << ": what is wrong has a cure, and nothing else";
}

struct FakeHost final : Outside {
  std::map<std::string, FileText> files;
  std::map<std::string, FileFacts> modes;  // of what is there; `files` are there, too
  std::map<std::string, SpaceFacts> spaces;
  std::map<std::string, std::vector<std::string>> directories;
  std::vector<InterfaceFacts> all_interfaces;
  ClockFacts its_clock{true, true, {}};
  std::string release = "6.1.0-18-amd64";
  CredentialFacts its_credentials;
  std::map<std::string, ProgramOutcome> programs;  // by the whole line
  std::chrono::system_clock::time_point its_time{std::chrono::seconds(1'800'000'000)};

  FileText read(const std::string& path) const override {
    auto at = files.find(path);
    return at == files.end() ? FileText{{}, ENOENT} : at->second;
  }
  FileFacts facts(const std::string& path) const override {
    if (auto at = modes.find(path); at != modes.end()) return at->second;
    return {0, files.contains(path) ? 0 : ENOENT};
  }
  SpaceFacts space(const std::string& path) const override {
    auto at = spaces.find(path);
    return at == spaces.end() ? SpaceFacts{0, 0, 0, ENOENT} : at->second;
  }
  std::vector<std::string> names_in(const std::string& directory) const override {
    auto at = directories.find(directory);
    return at == directories.end() ? std::vector<std::string>{} : at->second;
  }
  std::vector<InterfaceFacts> interfaces() const override { return all_interfaces; }
  ClockFacts clock() const override { return its_clock; }
  std::string kernel_release() const override { return release; }
  CredentialFacts credentials(const CredentialPaths&) const override { return its_credentials; }
  ProgramOutcome run(const std::vector<std::string>& words) const override {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
    auto at = programs.find(line);
    return at == programs.end() ? ProgramOutcome{-1, {}, words.front() + ": No such file or directory"} : at->second;
  }
  std::chrono::system_clock::time_point now() const override { return its_time; }
};

}  // namespace viaduct::api::cli
